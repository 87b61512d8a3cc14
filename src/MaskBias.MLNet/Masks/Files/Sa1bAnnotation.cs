namespace MaskBias.MLNet.Masks.Files;

/// <summary>One mask of an SA-1B file with what Segment Anything says of it.</summary>
/// <param name="Segmentation">The mask.</param>
public sealed record Sa1bAnnotation(CocoRle Segmentation)
{
    /// <summary>Number of the mask; unique in SA-1B.</summary>
    public long? Id { get; init; }

    /// <summary>X, y, width and height as the file gives them; null where it gives none.</summary>
    /// <remarks>
    /// SA-1B's width and height are the distance between the first and last pixel, one less than the number of pixels that
    /// <see cref="CocoRle.BoundingBox"/> counts.
    /// </remarks>
    public IReadOnlyList<double>? Box { get; init; }

    /// <summary>The model's own estimate of the mask's quality.</summary>
    public double? PredictedIou { get; init; }

    /// <summary>How little the mask changes with the threshold of its logits.</summary>
    public double? StabilityScore { get; init; }

    /// <summary>The points, x and y, that prompted the mask.</summary>
    public IReadOnlyList<IReadOnlyList<double>>? PointCoords { get; init; }

    /// <summary>X, y, width and height of the part of the image that the model saw.</summary>
    public IReadOnlyList<double>? CropBox { get; init; }
}
