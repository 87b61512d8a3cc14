namespace MaskBias.MLNet.Images;

/// <summary>What happens to a row of a training set whose image cannot be read.</summary>
public enum UnreadableImages
{
    /// <summary>The row is left out, counted and reported.</summary>
    Skip,

    /// <summary>Training stops with an error that names the row and file.</summary>
    Throw,
}
