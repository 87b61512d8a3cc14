namespace MaskBias.MLNet.Masks.Sam;

/// <summary>What to segment: points, a box, an earlier mask, or several of them together. At least one point or a box is usual.</summary>
public sealed class SamPrompt
{
    /// <summary>Points to cover and to leave out.</summary>
    /// <value>None.</value>
    public IReadOnlyList<SamPoint> Points { get; set; } = [];

    /// <summary>A box around the object, or null.</summary>
    /// <value>null.</value>
    public SamBox? Box { get; set; }

    /// <summary>
    /// Logits of a mask to refine, as <see cref="SamPrediction.Logits"/> gives them: a square of a quarter of the model's image size (256
    /// by 256 for published models), row by row; or null.
    /// </summary>
    /// <value>null.</value>
    public float[]? Mask { get; set; }
}
