using MaskBias.MLNet.Images.Augmentation;

namespace MaskBias.MLNet.Training.Data;

/// <summary>A batch as the loader's threads prepare it: padded pixels, what was drawn for each view, and the views' mask token vectors.</summary>
/// <param name="Rows">Index of each image in the store.</param>
/// <param name="Blocks">The pixels, in the order of the images; none where the views are made already.</param>
/// <param name="Draws">Draws of each image, [B][V], the global views first.</param>
/// <param name="GlobalTokens">Mask token vectors of the global views; null without masks.</param>
/// <param name="LocalTokens">Those of the local views.</param>
internal sealed record HostBatch(
    int[] Rows, IReadOnlyList<PixelBlock> Blocks, ViewDraw[][] Draws, TokenBlock? GlobalTokens, TokenBlock? LocalTokens) : IDisposable
{
    public void Dispose()
    {
        foreach (var block in Blocks) block.Dispose();
        GlobalTokens?.Dispose();
        LocalTokens?.Dispose();
    }
}
