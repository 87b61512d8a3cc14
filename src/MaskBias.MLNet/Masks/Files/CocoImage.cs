namespace MaskBias.MLNet.Masks.Files;

/// <summary>An image that a COCO file lists.</summary>
/// <param name="Id">Its number.</param>
/// <param name="FileName">Its file, perhaps with folders.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public sealed record CocoImage(long Id, string FileName, int Height, int Width);
