namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>A picture of a grid.</summary>
/// <param name="Png">The picture.</param>
/// <param name="Alt">What it shows.</param>
/// <param name="Caption">What is written below it; null for nothing.</param>
/// <param name="IsRight">Whether it is marked as right or as wrong; null for neither.</param>
internal sealed record PictureCell(byte[] Png, string Alt, string? Caption = null, bool? IsRight = null);
