using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>Multi-crop augmentation (Caron et al., NeurIPS 2020 and ICCV 2021): two kinds of views, cut, mirrored and recoloured at random.</summary>
public sealed class MultiCropOptions : IValidatableObject
{
    /// <summary>Number of global views of an image.</summary>
    /// <value>2.</value>
    [Range(2, 16)]
    public int GlobalViews { get; set; } = 2;

    /// <summary>Side in pixels of a global view; null for the encoder's image size.</summary>
    /// <value>null (224 for the preset encoders).</value>
    public int? GlobalSize { get; set; }

    /// <summary>Smallest share of the image's area that a global view shows.</summary>
    /// <value>0.4.</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double GlobalMinScale { get; set; } = 0.4;

    /// <summary>Number of local views of an image; 0 for none.</summary>
    /// <value>8.</value>
    [Range(0, 64)]
    public int LocalViews { get; set; } = 8;

    /// <summary>Side in pixels of a local view; null for 3/7 of the global size in whole patches.</summary>
    /// <value>null (96 for 224).</value>
    public int? LocalSize { get; set; }

    /// <summary>Smallest share of the image's area that a local view shows.</summary>
    /// <value>0.05.</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double LocalMinScale { get; set; } = 0.05;

    /// <summary>Largest share of the image's area that a local view shows; global views reach the whole image.</summary>
    /// <value>0.4.</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double LocalMaxScale { get; set; } = 0.4;

    /// <summary>Chance of mirroring left to right.</summary>
    /// <value>0.5.</value>
    [Range(0.0, 1.0)]
    public double FlipProbability { get; set; } = 0.5;

    /// <summary>Chance of colour jitter.</summary>
    /// <value>0.8.</value>
    [Range(0.0, 1.0)]
    public double ColorJitterProbability { get; set; } = 0.8;

    /// <summary>Brightness is scaled by 1 ± this.</summary>
    /// <value>0.4.</value>
    [Range(0.0, 1.0)]
    public double Brightness { get; set; } = 0.4;

    /// <summary>Contrast is scaled by 1 ± this.</summary>
    /// <value>0.4.</value>
    [Range(0.0, 1.0)]
    public double Contrast { get; set; } = 0.4;

    /// <summary>Saturation is scaled by 1 ± this.</summary>
    /// <value>0.2.</value>
    [Range(0.0, 1.0)]
    public double Saturation { get; set; } = 0.2;

    /// <summary>Hue is turned by up to ± this share of the colour circle.</summary>
    /// <value>0.1.</value>
    [Range(0.0, 0.5)]
    public double Hue { get; set; } = 0.1;

    /// <summary>Chance of turning a view grey.</summary>
    /// <value>0.2.</value>
    [Range(0.0, 1.0)]
    public double GrayscaleProbability { get; set; } = 0.2;

    /// <summary>Chance of blurring the first global view; the other global views are blurred at a tenth of it, local ones at half.</summary>
    /// <value>1 (so 0.1 and 0.5).</value>
    [Range(0.0, 1.0)]
    public double BlurProbability { get; set; } = 1;

    /// <summary>Largest standard deviation of the blur, in pixels of a 224-pixel view; it shrinks with the size of the global view.</summary>
    /// <value>2 (the smallest is a twentieth of it).</value>
    [Range(0.0, 20.0)]
    public double MaxBlur { get; set; } = 2;

    /// <summary>Chance of solarizing every global view but the first.</summary>
    /// <value>0.2.</value>
    [Range(0.0, 1.0)]
    public double SolarizeProbability { get; set; } = 0.2;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (LocalMinScale > LocalMaxScale)
        {
            yield return new(string.Create(CultureInfo.InvariantCulture,
                $"LocalMinScale is {LocalMinScale}; it must not exceed LocalMaxScale {LocalMaxScale}."));
        }
        if (GlobalSize is < 1) yield return new($"GlobalSize is {GlobalSize}; it must be at least one patch.");
        if (LocalSize is < 1) yield return new($"LocalSize is {LocalSize}; it must be at least one patch.");
    }

    internal MultiCropOptions Copy() => (MultiCropOptions)MemberwiseClone();
}
