namespace MaskBias.MLNet.Masks.Files;

/// <summary>What happens to a row for whose image there are no mask files.</summary>
public enum MissingMasks
{
    /// <summary>An error names the row, the image and where its masks were looked for.</summary>
    Throw,

    /// <summary>The image has no masks: training takes it as it is.</summary>
    NoMasks,
}
