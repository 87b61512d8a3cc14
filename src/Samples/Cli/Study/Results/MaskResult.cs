namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>What it took to find or read the masks of images.</summary>
/// <param name="Source">Where they are from.</param>
/// <param name="Images">Number of images.</param>
/// <param name="Seconds">Time, with all processors at once.</param>
/// <param name="Processors">How many these are.</param>
/// <param name="PerImage">Mean number of masks.</param>
internal sealed record MaskResult(string Source, int Images, double Seconds, int Processors, double PerImage);
