using System.Text;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Weights.KeyMaps;

/// <summary>What a checkpoint was recognised as.</summary>
/// <param name="Path">The weights.</param>
/// <param name="Layout">Who wrote it.</param>
/// <param name="Summary">The same in words, with the part of the file that was taken.</param>
/// <param name="Architecture">The encoder.</param>
/// <param name="Normalization">Its pixel statistics.</param>
/// <param name="Head">The projection head, or null.</param>
/// <param name="Decoder">MAE's decoder, or null.</param>
/// <param name="Parameters">Number of weights taken.</param>
/// <param name="Assumptions">What the file does not say, with the value taken and why.</param>
/// <param name="LeftOut">Tensors that were not taken, such as a classifier.</param>
public sealed record CheckpointDescription(
    string Path, CheckpointLayout Layout, string Summary, VitOptions Architecture, ImageNormalization Normalization, DinoHeadOptions? Head,
    MaeDecoderOptions? Decoder, long Parameters, IReadOnlyList<string> Assumptions, IReadOnlyList<string> LeftOut)
{
    private const int MaxNames = 20;

    /// <summary>A few lines to read.</summary>
    public override string ToString()
    {
        var a = Architecture;
        var text = new StringBuilder($"{Path}: {Summary}, {FormattableString.Invariant($"{Parameters / 1e6:0.0}")} million weights\n");
        text.Append($"  encoder: {a.EmbedDim} wide, {a.Depth} blocks, {a.Heads} heads, {a.FeedForward} of {a.HiddenDim}, patch {a.PatchSize}, image {a.ImageSize}");
        if (a.RegisterTokens > 0) text.Append($", {a.RegisterTokens} registers");
        if (a.LayerScale is not null) text.Append(", LayerScale");
        if (a.MaskBias is not null) text.Append(", mask-guided");
        text.Append(FormattableString.Invariant($"\n  positions: {a.Positions}, resampled as {a.PositionResampling}; norm epsilon {a.NormEpsilon}; features: {a.Pooling}\n"));
        if (Head is not null) text.Append($"  head: {Head.Layers} layers of {Head.HiddenDim}, bottleneck {Head.BottleneckDim}, {Head.OutDim} prototypes\n");
        if (Decoder is not null) text.Append($"  decoder: {Decoder.EmbedDim} wide, {Decoder.Depth} blocks, {Decoder.Heads} heads\n");
        foreach (string assumption in Assumptions) text.Append($"  assumed: {assumption}\n");
        if (LeftOut.Count > 0)
        {
            string more = LeftOut.Count > MaxNames ? $", and {LeftOut.Count - MaxNames} more" : "";
            text.Append($"  left out: {string.Join(", ", LeftOut.Take(MaxNames))}{more}\n");
        }
        return text.ToString();
    }
}
