namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>What was drawn at random for one view of one image.</summary>
internal readonly record struct ViewDraw(
    CropRegion Region, float Brightness, float Contrast, float Saturation, float Hue, bool Grayscale, float Blur, bool Solarize);
