using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>A linear layer without bias whose rows are split into length and direction: w = g·v/‖v‖ (Salimans and Kingma, 2016).</summary>
internal sealed class WeightNormLinear : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight_g;      // [out, 1]
    private readonly Parameter weight_v;      // [out, in]

    public WeightNormLinear(int inputs, int outputs, bool trainLength) : base(nameof(WeightNormLinear))
    {
        weight_g = nn.Parameter(ones(outputs, 1), requires_grad: trainLength);
        weight_v = nn.Parameter(empty(outputs, inputs));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var weight = weight_v * (weight_g / weight_v.norm(1, keepdim: true, p: 2f));
        return nn.functional.linear(input, weight.As(input.dtype)).MoveToOuterDisposeScope();
    }

    internal void Initialize(Generator generator)
    {
        double bound = 1 / Math.Sqrt(weight_v.shape[1]);                 // PyTorch's default for a linear layer
        weight_v.uniform_(-bound, bound, generator);
    }
}
