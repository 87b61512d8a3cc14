namespace MaskBias.MLNet.Samples.Common.Photos;

/// <summary>A row after segmentation. Properties are columns.</summary>
internal sealed class MaskedPhoto
{
    public string ImagePath { get; set; } = "";

    public string Label { get; set; } = "";

    /// <summary>The encoded masks; empty where the image cannot be read.</summary>
    public byte[] Masks { get; set; } = [];
}
