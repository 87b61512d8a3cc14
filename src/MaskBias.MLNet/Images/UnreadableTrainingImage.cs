namespace MaskBias.MLNet.Images;

/// <summary>What a training does with a row whose image is missing or cannot be read.</summary>
public enum UnreadableTrainingImage
{
    /// <summary>The row is left out, counted and reported.</summary>
    Skip,

    /// <summary>Training stops with an error that names the row and file.</summary>
    Throw,
}
