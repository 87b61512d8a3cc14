namespace MaskBias.MLNet.Masks.Files;

/// <summary>One mask of a COCO annotation file or of COCO results.</summary>
/// <param name="ImageId">The image that it belongs to.</param>
/// <param name="CategoryId">What it shows.</param>
/// <param name="Segmentation">The mask; polygons are rasterised and united.</param>
public sealed record CocoAnnotation(long ImageId, long CategoryId, CocoRle Segmentation)
{
    /// <summary>How sure a detector is; null for annotations by people.</summary>
    public double? Score { get; init; }

    /// <summary>Whether it covers many objects at once.</summary>
    public bool IsCrowd { get; init; }
}
