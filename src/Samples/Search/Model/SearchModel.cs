using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Samples.Search.Model;

/// <summary>The model that the app serves.</summary>
/// <param name="ServedPath">An ML.NET model or an ONNX encoder: what embeds, and classifies where it can.</param>
/// <param name="Encoder">The same encoder with its weights, which shows where it looks; null where there is no checkpoint.</param>
/// <param name="Checkpoint">Where those weights are from.</param>
/// <param name="IsGuess">Whether nobody named the checkpoint: it lay beside the model.</param>
internal sealed record SearchModel(string ServedPath, VisionEncoder? Encoder, string? Checkpoint = null, bool IsGuess = false) : IDisposable
{
    public void Dispose() => Encoder?.Dispose();
}
