using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Experiments.Trials;

/// <summary>
/// What is kept of every image: the class tokens of the last four blocks, the oldest first, then the mean of the patch tokens, 5·D values
/// of one forward pass. Every choice of features is a part of it.
/// </summary>
internal static class FeatureLayout
{
    private const int MostBlocks = 4;

    /// <summary>The options that compute all of it.</summary>
    public static BlockFeatureOptions All => new() { LastBlocks = MostBlocks, AppendPatchMean = true };

    /// <summary>Where a choice lies.</summary>
    public static (int Start, int Length) Part(FeatureChoice choice, VitOptions encoder)
    {
        int width = encoder.EmbedDim, blocks = Math.Min(MostBlocks, encoder.Depth), last = (blocks - 1) * width;
        return choice switch
        {
            FeatureChoice.ClassToken => (last, width),
            FeatureChoice.LastFourClassTokens => (0, blocks * width),
            FeatureChoice.PatchMean => (blocks * width, width),
            _ => (last, 2 * width),
        };
    }

    /// <summary>The options that compute a choice alone.</summary>
    public static BlockFeatureOptions Options(FeatureChoice choice) => choice switch
    {
        FeatureChoice.ClassToken => new() { LastBlocks = 1 },
        FeatureChoice.LastFourClassTokens => new() { LastBlocks = MostBlocks },
        FeatureChoice.PatchMean => new() { LastBlocks = 0, AppendPatchMean = true },
        _ => new() { LastBlocks = 1, AppendPatchMean = true },
    };
}
