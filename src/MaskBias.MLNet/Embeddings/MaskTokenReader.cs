using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.Embeddings;

/// <summary>Turns a row's encoded masks into mask token vectors.</summary>
/// <param name="encodedMasks">The row's value in the mask column; empty for no masks.</param>
/// <param name="imageWidth">Columns of the row's image, which the masks must share.</param>
/// <param name="imageHeight">Rows of the row's image, which the masks must share.</param>
/// <param name="region">The part of the image that the encoder sees.</param>
/// <param name="patchesPerSide">Patches along each side of what it sees.</param>
/// <returns>The share of each patch that each mask covers, [K, N] with N = patchesPerSide².</returns>
internal delegate float[] MaskTokenReader(
    ReadOnlySpan<byte> encodedMasks, int imageWidth, int imageHeight, CropRegion region, int patchesPerSide);
