namespace MaskBias.MLNet.Vit;

/// <summary>Mean and standard deviation per channel (R, G, B) of pixels scaled to [0, 1].</summary>
public sealed record ImageNormalization(IReadOnlyList<float> Mean, IReadOnlyList<float> Deviation)
{
    /// <summary>ImageNet's statistics, the default of every encoder.</summary>
    public static ImageNormalization ImageNet { get; } = new([0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);
}
