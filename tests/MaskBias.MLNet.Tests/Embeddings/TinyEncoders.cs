using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Tests.Embeddings;

/// <summary>Encoders of 32 x 32 pixels that compute in no time. Mean pooling lets untrained features tell images apart.</summary>
internal static class TinyEncoders
{
    public static VisionEncoder Plain(long seed = 1) => new(new VisionTransformer(Options(), seed));

    public static VisionEncoder MaskGuided(double bias = 3)
    {
        var options = Options();
        options.MaskBias = new() { InitialValue = bias };
        return new(new VisionTransformer(options, seed: 1));
    }

    private static VitOptions Options() =>
        new() { ImageSize = 32, PatchSize = 8, EmbedDim = 24, Depth = 2, Heads = 3, Pooling = FeaturePooling.Mean };
}
