namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>What was drawn at random for one view of one image.</summary>
internal readonly record struct ViewDraw(
    CropRegion Region, float Brightness, float Contrast, float Saturation, float Hue, bool Grayscale, float Blur, bool Solarize)
{
    /// <summary>Whether the view keeps its colours.</summary>
    public bool KeepsColors =>
        (Brightness, Contrast, Saturation, Hue, Grayscale, Blur, Solarize) == (1, 1, 1, 0, false, 0, false);
}
