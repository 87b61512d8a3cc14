using MaskBias.MLNet.Distributed;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>H linear layers side by side on the same features, which may first be normalised by running statistics.</summary>
internal sealed class LinearHeads : IDisposable
{
    private const double InitialDeviation = 0.01, NormEpsilon = 1e-6, NormMomentum = 0.1;

    private readonly bool normalizes;

    /// <summary>All layers start with the same weights, drawn from a normal distribution of deviation 0.01; biases are 0.</summary>
    public LinearHeads(int heads, int classes, int features, bool normalizes, Device device, long seed, ScalarType type = ScalarType.Float32)
    {
        this.normalizes = normalizes;
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var start = randn([1, classes, features], generator: generator).mul_(Number(InitialDeviation)).to_type(type);
        Weight = nn.Parameter(start.expand(heads, -1, -1).contiguous().to(device));
        Bias = nn.Parameter(zeros([heads, classes], type, device));
        (Mean, Variance) = (zeros([features], type, device), ones([features], type, device));
        foreach (var tensor in new[] { Weight, Bias, Mean, Variance }) tensor.DetachFromDisposeScope();
    }

    /// <summary>The ranks that a batch is spread over, whose statistics are taken together.</summary>
    public IRanks Ranks { get; set; } = OneRank.Instance;

    /// <summary>[H, K, D].</summary>
    public Parameter Weight { get; }

    /// <summary>[H, K].</summary>
    public Parameter Bias { get; }

    /// <summary>Running mean of the features, [D].</summary>
    public Tensor Mean { get; }

    /// <summary>Running variance of the features, [D].</summary>
    public Tensor Variance { get; }

    /// <summary>Features as the layers see them, [B, D] -> [B, D].</summary>
    /// <param name="features">[B, D].</param>
    /// <param name="training">Whether they are normalised by their own statistics, which then move the running ones.</param>
    public Tensor Normalized(Tensor features, bool training) => normalizes ? Normalize(features, training) : features;

    /// <summary>The logits of every layer, [B, D] -> [B, H, K].</summary>
    public Tensor Logits(Tensor normalized) =>
        Sum(matmul(normalized, Weight.flatten(0, 1).t()), Bias.flatten()).view(-1, Bias.shape[0], Bias.shape[1]);

    /// <summary>One of the layers, the normalisation folded in: W' = W/σ, b' = b − W'·μ.</summary>
    public LinearClassifier Fold(int head)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor weight = Weight[head].to_type(ScalarType.Float64), bias = Bias[head].to_type(ScalarType.Float64);
        if (normalizes)
        {
            weight = weight / Sum(Variance.to_type(ScalarType.Float64), Number(NormEpsilon)).sqrt();
            bias = bias - matmul(weight, Mean.to_type(ScalarType.Float64));
        }
        return new([.. weight.unbind(0).Select(Values)], Values(bias));

        static float[] Values(Tensor row) => row.to_type(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
    }

    // BatchNorm without learned scale and shift: (x − μ)/√(σ² + ε)
    private Tensor Normalize(Tensor features, bool training)
    {
        using var _ = no_grad();
        if (!training) return (features - Mean) / Sum(Variance, Number(NormEpsilon)).sqrt();
        var mean = OverRanks(features.mean([0]));
        var centered = features - mean;
        var variance = OverRanks(centered.pow(Number(2)).mean([0]));
        double rows = features.shape[0] * Ranks.Size;
        Mean.mul_(Number(1 - NormMomentum)).add_(mean, alpha: Number(NormMomentum));
        Variance.mul_(Number(1 - NormMomentum)).add_(variance, alpha: Number(NormMomentum * rows / Math.Max(1, rows - 1)));      // unbiased
        return centered / Sum(variance, Number(NormEpsilon)).sqrt();
    }

    private Tensor OverRanks(Tensor mean)
    {
        if (Ranks.Size == 1) return mean;
        Ranks.Sum(mean);
        return mean.div_(Number(Ranks.Size));
    }

    public void Dispose()
    {
        Weight.Dispose();
        Bias.Dispose();
        Mean.Dispose();
        Variance.Dispose();
    }
}
