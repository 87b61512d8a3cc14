using System.ComponentModel.DataAnnotations;

namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>RandomResizedCrop and a flip: a random part of the image, resized to the encoder's image size, with its own colours.</summary>
public sealed class RandomCropOptions
{
    /// <summary>Smallest share of the image's area that is shown; the largest is all of it. The aspect varies from 3:4 to 4:3.</summary>
    /// <value>0.2 (He et al.).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double MinScale { get; set; } = 0.2;

    /// <summary>Chance of mirroring left to right.</summary>
    /// <value>0.5.</value>
    [Range(0.0, 1.0)]
    public double FlipProbability { get; set; } = 0.5;

    internal RandomCropOptions Copy() => (RandomCropOptions)MemberwiseClone();

    /// <summary>The same as a multi-crop: one global view that is not recoloured.</summary>
    internal MultiCropOptions AsViews() => new()
    {
        GlobalViews = 1, LocalViews = 0, GlobalMinScale = MinScale, FlipProbability = FlipProbability, ColorJitterProbability = 0,
        GrayscaleProbability = 0, BlurProbability = 0, SolarizeProbability = 0,
    };
}
