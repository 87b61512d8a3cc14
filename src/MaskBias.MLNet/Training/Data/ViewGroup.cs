using static TorchSharp.torch;

namespace MaskBias.MLNet.Training.Data;

/// <summary>Views of one size of a batch of images.</summary>
/// <param name="Views">Number V of views of each image.</param>
/// <param name="Images">Normalised, [V·B, 3, S, S], view by view.</param>
/// <param name="MaskTokens">Mask token vectors, [V·B, K, N], or null.</param>
internal sealed record ViewGroup(int Views, Tensor Images, Tensor? MaskTokens) : IDisposable
{
    public void Dispose()
    {
        Images.Dispose();
        MaskTokens?.Dispose();
    }
}
