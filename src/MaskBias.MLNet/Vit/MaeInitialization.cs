using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// How MAE's encoder and decoder start: every linear layer and the patch projection Xavier-uniform, biases 0, tokens normal of deviation
/// 0.02.
/// </summary>
internal static class MaeInitialization
{
    public const double TokenDeviation = 0.02;

    /// <summary>Draws the weights of all linear layers of a module.</summary>
    public static void DrawLinears(nn.Module module, Generator generator)
    {
        using var _ = no_grad();
        foreach (var linear in module.modules().OfType<Linear>())
        {
            DrawXavier(linear.weight!, linear.weight!.shape[1], generator);
            linear.bias?.zero_();
        }
    }

    /// <summary>Uniform within ±√(6/(inputs + outputs)); the first dimension counts the outputs.</summary>
    public static void DrawXavier(Tensor weight, long inputs, Generator generator)
    {
        double bound = Math.Sqrt(6.0 / (inputs + weight.shape[0]));
        weight.uniform_(-bound, bound, generator);
    }
}
