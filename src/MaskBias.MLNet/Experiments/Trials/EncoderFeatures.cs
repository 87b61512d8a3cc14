using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Experiments.Trials;

/// <summary>What one encoder makes of the rows, computed once.</summary>
/// <param name="Name">The encoder's name.</param>
/// <param name="Encoder">The encoder; its caller's.</param>
/// <param name="Rows">Features of each row as <see cref="FeatureLayout"/> has them.</param>
/// <param name="MillisecondsPerImage">How long reading and computing took, for an image.</param>
internal sealed record EncoderFeatures(string Name, VisionEncoder Encoder, float[][] Rows, double MillisecondsPerImage);
