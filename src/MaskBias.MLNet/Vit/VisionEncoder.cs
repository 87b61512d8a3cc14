using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// A vision transformer with what is needed to use it on images: its normalisation, and the projection head (DINO) or the decoder (MAE) of
/// its pretraining where there is one. This is what pretraining, distillation, probes and pipelines exchange.
/// </summary>
/// <remarks><see cref="Embed"/> may be called from several threads at once.</remarks>
public sealed class VisionEncoder : IDisposable
{
    private bool isDisposed;

    /// <summary>Takes ownership of the modules and puts them in evaluation mode.</summary>
    /// <param name="model">The transformer.</param>
    /// <param name="head">The projection head of its pretraining, kept for distillation.</param>
    /// <param name="normalization">Pixel statistics; ImageNet's by default.</param>
    /// <param name="decoder">The decoder of its pretraining, kept to reconstruct images.</param>
    public VisionEncoder(
        VisionTransformer model, DinoHead? head = null, ImageNormalization? normalization = null, MaeDecoder? decoder = null)
    {
        (Model, Head, Decoder) = (model, head, decoder);
        Normalization = normalization ?? ImageNormalization.ImageNet;
        Evaluate();
    }

    /// <summary>The transformer.</summary>
    public VisionTransformer Model { get; }

    /// <summary>The projection head of its pretraining, or null.</summary>
    public DinoHead? Head { get; }

    /// <summary>The decoder of its pretraining, or null.</summary>
    public MaeDecoder? Decoder { get; }

    /// <summary>Pixel statistics that the model expects.</summary>
    public ImageNormalization Normalization { get; }

    /// <summary>Side in pixels of the images it is used at.</summary>
    public int ImageSize => Model.Options.ImageSize;

    /// <summary>Length of the feature vector.</summary>
    public int FeatureDim => Model.FeatureDim;

    /// <summary>Where the weights are.</summary>
    /// <exception cref="ObjectDisposedException">The encoder was disposed.</exception>
    public Device Device
    {
        get
        {
            ThrowIfDisposed();
            return Model.parameters().First().device;
        }
    }

    /// <summary>
    /// Moves the weights. Embedding, nearest neighbours and the linear probe compute where they are; training chooses for itself.
    /// </summary>
    /// <param name="device">
    /// <see cref="ComputeDevice.Auto"/>: the first CUDA device, or that of this process among those that a launcher started here; else the processor.
    /// </param>
    /// <exception cref="InvalidOperationException">The CUDA device asked for is not there.</exception>
    public void MoveTo(ComputeDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        ThrowIfDisposed();
        var (where, _) = device.Resolve(MpiLauncher.LocalRank);
        foreach (nn.Module? part in new nn.Module?[] { Model, Head, Decoder }) part?.to(where);
    }

    /// <summary>Computes features of a batch.</summary>
    /// <param name="pixels">Pixels in [0, 255], [rows, 3, S, S] planar R, G, B with S = <see cref="ImageSize"/>.</param>
    /// <param name="rows">Images in the batch.</param>
    /// <param name="features">Receives [rows, <see cref="FeatureDim"/>], or as many as the blocks' features have.</param>
    /// <param name="maskTokens">Mask token vectors [rows, K, N], or empty for none.</param>
    /// <param name="blocks">Features of several blocks, or null for the encoder's own feature vector.</param>
    public void Embed(
        ReadOnlySpan<float> pixels, int rows, Span<float> features, ReadOnlySpan<float> maskTokens = default, BlockFeatureOptions? blocks = null)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        int size = ImageSize, patches = size / Model.Options.PatchSize * (size / Model.Options.PatchSize);
        var images = Normalize(FromSpan(pixels[..(rows * 3 * size * size)], [rows, 3, size, size]).to(Device));
        var masks = maskTokens.IsEmpty ? null : FromSpan(maskTokens, [rows, maskTokens.Length / (rows * patches), patches]).to(Device);
        var computed = blocks is null ? Model.Forward(images, masks) : blocks.Forward(Model, images, masks);
        computed.cpu().data<float>().CopyTo(features);
    }

    /// <summary>Normalises pixels in [0, 255] for the model: (x/255 − mean)/deviation, [B, 3, H, W].</summary>
    public Tensor Normalize(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var scale = tensor(Normalization.Deviation.Select(d => 1 / (255 * d)).ToArray()).view(1, 3, 1, 1).SentTo(pixels.device);
        var shift = tensor(Normalization.Mean.Zip(Normalization.Deviation, (m, d) => -m / d).ToArray()).view(1, 3, 1, 1).SentTo(pixels.device);
        return addcmul(shift, pixels, scale, Number(1)).MoveToOuterDisposeScope();
    }

    /// <summary>The way back: pixels in [0, 255], whole numbers or not, of normalised images, [B, 3, H, W].</summary>
    public Tensor Denormalize(Tensor images)
    {
        using var scope = NewDisposeScope();
        var deviation = tensor(Normalization.Deviation.Select(d => 255 * d).ToArray()).view(1, 3, 1, 1).SentTo(images.device);
        var mean = tensor(Normalization.Mean.Select(m => 255 * m).ToArray()).view(1, 3, 1, 1).SentTo(images.device);
        return addcmul(mean, images, deviation, Number(1)).clamp_(Number(0), Number(255)).MoveToOuterDisposeScope();
    }

    /// <summary>What all parts compute in during training, where it is not the type of the weights; null for that.</summary>
    internal ScalarType? ComputeType
    {
        set
        {
            Model.ComputeType = value;
            if (Head is not null) Head.ComputeType = value;
            if (Decoder is not null) Decoder.ComputeType = value;
        }
    }

    /// <summary>Puts all parts in evaluation mode.</summary>
    internal void Evaluate()
    {
        Model.eval();
        Head?.eval();
        Decoder?.eval();
    }

    /// <summary>Throws where the weights are freed already.</summary>
    internal void ThrowIfDisposed()
    {
        if (!isDisposed) return;
        throw new ObjectDisposedException(nameof(VisionEncoder),
            "The encoder was disposed. Embeddings and classifiers that were made with it compute with it: dispose it after them. A saved model needs none.");
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        isDisposed = true;
        Model.Dispose();
        Head?.Dispose();
        Decoder?.Dispose();
    }

    private static Tensor FromSpan(ReadOnlySpan<float> values, long[] shape)
    {
        var result = empty(shape);
        values.CopyTo(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(result.bytes));
        return result;
    }
}
