using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>Cuts an image into patches and projects each to a token.</summary>
internal sealed class PatchEmbedding : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d proj;

    public PatchEmbedding(int patchSize, int width) : base(nameof(PatchEmbedding))
    {
        proj = WeightLayers.Patches(3, width, patchSize);
        RegisterComponents();
    }

    // [B, 3, H, W] -> [B, (H/p)·(W/p), D]; what is left of the last row or column of patches is dropped.
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        if (images.device_type == DeviceType.CPU && images.dtype == proj.weight.dtype)
            return proj.forward(images).flatten(2).transpose(1, 2).MoveToOuterDisposeScope();
        // The same as one matrix product, which tensor cores compute faster than a convolution with so few pixels.
        long batch = images.shape[0], side = proj.weight.shape[2], rows = images.shape[2] / side, columns = images.shape[3] / side;
        var patches = images[.., .., ..(int)(rows * side), ..(int)(columns * side)].reshape(batch, 3, rows, side, columns, side)
            .permute(0, 2, 4, 1, 3, 5).reshape(batch, rows * columns, -1);                           // [B, N, 3·p²]
        var weight = proj.weight.flatten(1).As(images.dtype);
        return nn.functional.linear(patches, weight, proj.bias!.As(images.dtype)).MoveToOuterDisposeScope();
    }

    internal void Initialize(Generator generator)
    {
        double bound = 1 / Math.Sqrt(proj.weight.shape[1] * proj.weight.shape[2] * proj.weight.shape[3]);   // Kaiming, a = √5
        proj.weight.uniform_(-bound, bound, generator);
        proj.bias!.uniform_(-bound, bound, generator);
    }

    // MAE's: as a linear layer from the pixels of a patch; the bias as above
    internal void InitializeXavier(Generator generator) =>
        MaeInitialization.DrawXavier(proj.weight, proj.weight.NumberOfElements / proj.weight.shape[0], generator);
}
