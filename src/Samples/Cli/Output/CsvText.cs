namespace MaskBias.MLNet.Samples.Cli.Output;

/// <summary>Text in a CSV file (RFC 4180).</summary>
internal static class CsvText
{
    /// <summary>Puts text between quotes, and doubles those in it.</summary>
    public static string Quoted(string text) => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
