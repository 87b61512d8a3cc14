using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>An image that is shown.</summary>
/// <param name="Title">What its pictures are headed with.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Image">Its pixels.</param>
/// <param name="Masks">Its masks; null where none are to be shown.</param>
/// <param name="Attention">Where the encoder looks in it.</param>
internal sealed record ShownImage(string Title, string Name, RgbImage Image, MaskSet? Masks, AttentionMap Attention);
