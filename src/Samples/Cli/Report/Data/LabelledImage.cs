namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>An image file.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Name">What it is called: its path within the folder of images.</param>
/// <param name="Class">The number of its class; −1 where it has none.</param>
internal sealed record LabelledImage(string Path, string Name, int Class);
