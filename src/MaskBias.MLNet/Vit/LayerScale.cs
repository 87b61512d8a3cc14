using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>Scales each channel of a branch by a learned factor γ (Touvron et al., Going deeper with image transformers, ICCV 2021).</summary>
internal sealed class LayerScale : nn.Module<Tensor, Tensor>
{
    private readonly Parameter gamma;      // [D]

    public LayerScale(int width, double initialValue) : base(nameof(LayerScale))
    {
        gamma = nn.Parameter(full([width], Number(initialValue)));
        RegisterComponents();
    }

    public override Tensor forward(Tensor branch) => branch * gamma;
}
