namespace MaskBias.MLNet.Samples.Search.Web;

/// <summary>A label to give.</summary>
/// <param name="Label">The label; null or empty for none.</param>
internal sealed record LabelRequest(string? Label)
{
    public const int MaxLength = 64;

    /// <summary>The label as it is kept, or why it cannot be.</summary>
    public static (string? Label, string? Fault) Read(string? text)
    {
        string label = text?.Trim() ?? "";
        if (label.Length > MaxLength) return (null, $"A label may have at most {MaxLength} characters.");
        if (label.Any(char.IsControl) || !label.IsNormalized()) return (null, "A label is plain text.");
        return (label.Length == 0 ? null : label, null);
    }
}
