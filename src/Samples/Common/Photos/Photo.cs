namespace MaskBias.MLNet.Samples.Common.Photos;

/// <summary>A row of the data: an image file and the name of its class, empty when unknown. Properties are columns.</summary>
internal sealed class Photo
{
    public string ImagePath { get; set; } = "";

    public string Label { get; set; } = "";
}
