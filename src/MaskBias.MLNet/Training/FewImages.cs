using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Training;

/// <summary>What the presets for few images share (docs/study.md: found on 3,261 photographs, with the plain encoder).</summary>
internal static class FewImages
{
    public const int BatchSize = 64, ImagesSeen = 1_300_000, ImagesDistilled = 65_000, ImagesTuned = 300_000;

    /// <summary>It learns in half an hour of two processors what larger ones do not come to in hours.</summary>
    public static VitOptions Encoder => new() { EmbedDim = 96, Depth = 3, Heads = 3, PatchSize = 8, ImageSize = 32 };

    /// <summary>Two views of most of an image: small crops, local views and blur make the task too hard for so small an encoder.</summary>
    public static MultiCropOptions Views => new() { LocalViews = 0, GlobalMinScale = 0.7, BlurProbability = 0, SolarizeProbability = 0 };

    /// <summary>Epochs that see so many images in all, within bounds.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are no images.</exception>
    public static int Epochs(int images, int seen, int least, int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(images, 1);
        return Math.Clamp(seen / images, least, most);
    }
}
