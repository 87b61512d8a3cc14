using System.Runtime.InteropServices;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training.Data;

/// <summary>
/// The views of a batch, made on the processor by the loader's threads: normalised, [V·B, 3, S, S], all images of a view together.
/// </summary>
internal sealed class RenderedViews : IDisposable
{
    private readonly int count;
    private readonly ViewSizes sizes;
    private Tensor? global, local;              // until taken

    /// <summary>Makes room; the thread that trains does, and later takes the views.</summary>
    /// <param name="count">Images of the batch, B.</param>
    /// <param name="sizes">How many views an image has, and their sides.</param>
    public RenderedViews(int count, ViewSizes sizes)
    {
        (this.count, this.sizes) = (count, sizes);
        global = Empty(sizes.Options.GlobalViews, sizes.Global);
        local = sizes.Options.LocalViews == 0 ? null : Empty(sizes.Options.LocalViews, sizes.Local);
    }

    /// <summary>Renders all views of a batch.</summary>
    /// <param name="images">Its images, B of them.</param>
    /// <param name="draws">What was drawn for each view of each image, [B][V], the global ones first.</param>
    /// <param name="normalization">Of the encoder that sees them.</param>
    /// <param name="random">Draws the order of the jitter's parts, for the global and then for the local views.</param>
    public void Render(IReadOnlyList<RgbImage> images, ViewDraw[][] draws, ImageNormalization normalization, Random random)
    {
        int globals = sizes.Options.GlobalViews;
        int[] globalOrder = ColorAugmentation.DrawOrder(random), localOrder = ColorAugmentation.DrawOrder(random);
        for (int i = 0; i < count; i++)
        {
            using var renderer = new ViewRenderer(images[i], normalization);
            for (int view = 0; view < draws[i].Length; view++)
            {
                if (view < globals) Draw(global!, view * count + i, sizes.Global, globalOrder);
                else Draw(local!, (view - globals) * count + i, sizes.Local, localOrder);

                void Draw(Tensor views, int index, int size, int[] order)
                {
                    using var target = views.select(0, index);
                    renderer.Render(draws[i][view], size, order, MemoryMarshal.Cast<byte, float>(target.bytes));
                }
            }
        }
    }

    /// <summary>Hands the views over, to the caller to dispose.</summary>
    public (Tensor Global, Tensor? Local) Take()
    {
        var taken = (global!, local);
        (global, local) = (null, null);
        return taken;
    }

    public void Dispose()
    {
        global?.Dispose();
        local?.Dispose();
    }

    private Tensor Empty(int views, int size) => empty([views * count, 3, size, size], ScalarType.Float32).DetachFromDisposeScope();
}
