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
        return proj.forward(images).flatten(2).transpose(1, 2).MoveToOuterDisposeScope();
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
