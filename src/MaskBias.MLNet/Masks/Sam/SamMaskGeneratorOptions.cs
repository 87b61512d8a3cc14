using System.ComponentModel.DataAnnotations;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>How <see cref="SamMaskGenerator"/> finds the masks of an image; the defaults are those of the published generator.</summary>
public sealed class SamMaskGeneratorOptions : IValidatableObject
{
    /// <summary>Points per side of the grid of prompts: its square is the number of prompts.</summary>
    /// <value>32, hence 1,024 prompts of three masks each.</value>
    [Range(1, 1024)]
    public int PointsPerSide { get; set; } = 32;

    /// <summary>Prompts decoded together. More is faster on a GPU and takes more memory; a CPU divides them further.</summary>
    /// <value>64. Has no part in the result.</value>
    [Range(1, 4096)]
    public int PointsPerBatch { get; set; } = 64;

    /// <summary>Masks whose predicted IoU is not above this are dropped; 0 or less keeps all.</summary>
    /// <value>0.88.</value>
    [Range(double.MinValue, 1.0)]
    public double PredictedIouThreshold { get; set; } = 0.88;

    /// <summary>Masks whose stability score is below this are dropped; 0 or less keeps all.</summary>
    /// <value>0.95.</value>
    [Range(double.MinValue, 1.0)]
    public double StabilityScoreThreshold { get; set; } = 0.95;

    /// <summary>
    /// How far the logits' threshold is moved up and down; the stability score is the IoU of the two masks that this gives.
    /// </summary>
    /// <value>1.</value>
    [Range(0.0, 1000.0)]
    public double StabilityScoreOffset { get; set; } = 1;

    /// <summary>Of two masks whose boxes overlap more than this (IoU), the one with the lower predicted IoU is dropped.</summary>
    /// <value>0.7.</value>
    [Range(0.0, 1.0)]
    public double BoxNmsThreshold { get; set; } = 0.7;

    /// <summary>
    /// Layers of crops that are segmented beside the whole image: layer i has 2^i by 2^i crops. Finds small things, and takes longer.
    /// </summary>
    /// <value>0.</value>
    [Range(0, 6)]
    public int CropLayers { get; set; }

    /// <summary>Of masks of two crops whose boxes overlap more than this (IoU), the one of the larger crop is dropped.</summary>
    /// <value>0.7.</value>
    [Range(0.0, 1.0)]
    public double CropNmsThreshold { get; set; } = 0.7;

    /// <summary>
    /// How much the crops of the first layer overlap, as a share of the image's short side; halved in each further layer.
    /// </summary>
    /// <value>512 / 1500.</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double CropOverlapRatio { get; set; } = 512.0 / 1500;

    /// <summary>Points per side are divided by this in each further layer of crops.</summary>
    /// <value>1.</value>
    [Range(1, 64)]
    public int CropPointsDownscaleFactor { get; set; } = 1;

    /// <summary>Holes and separate pieces of a mask that are smaller than this, in pixels, are filled and removed; 0 leaves them.</summary>
    /// <value>0.</value>
    [Range(0, int.MaxValue)]
    public int MinMaskRegionArea { get; set; }

    /// <summary>Points per side in a layer of crops; 0 is the whole image.</summary>
    internal int PointsPerSideOf(int layer) => (int)(PointsPerSide / Math.Pow(CropPointsDownscaleFactor, layer));

    /// <inheritdoc/>
    IEnumerable<ValidationResult> IValidatableObject.Validate(ValidationContext validationContext)
    {
        if (CropPointsDownscaleFactor >= 1 && PointsPerSide >= 1 && PointsPerSideOf(CropLayers) < 1)
        {
            yield return new($"CropPointsDownscaleFactor is {CropPointsDownscaleFactor}; with PointsPerSide {PointsPerSide} it leaves no points "
                + $"in layer {CropLayers} of the crops.");
        }
    }

    internal SamMaskGeneratorOptions Copy() => (SamMaskGeneratorOptions)MemberwiseClone();
}
