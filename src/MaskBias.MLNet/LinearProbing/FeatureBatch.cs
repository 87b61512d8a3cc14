using static TorchSharp.torch;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>Features of some rows and their classes.</summary>
/// <param name="Features">[B, D].</param>
/// <param name="Labels">Classes from 0, [B] of Int64.</param>
internal sealed record FeatureBatch(Tensor Features, Tensor Labels) : IDisposable
{
    public void Dispose()
    {
        Features.Dispose();
        Labels.Dispose();
    }
}
