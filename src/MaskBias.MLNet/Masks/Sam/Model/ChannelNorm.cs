using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>Layer normalisation over the channels of every pixel.</summary>
internal sealed class ChannelNorm : nn.Module<Tensor, Tensor>
{
    private const double Epsilon = 1e-6;

    private readonly Parameter weight;      // [C]
    private readonly Parameter bias;        // [C]

    public ChannelNorm(int channels) : base(nameof(ChannelNorm))
    {
        weight = nn.Parameter(ones(channels));
        bias = nn.Parameter(zeros(channels));
        RegisterComponents();
    }

    // [B, C, H, W] -> [B, C, H, W]
    public override Tensor forward(Tensor maps)
    {
        using var scope = NewDisposeScope();
        var normalized = nn.functional.layer_norm(maps.permute(0, 2, 3, 1), [weight.shape[0]], weight, bias, Epsilon);
        return normalized.permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }
}
