namespace MaskBias.MLNet.Images;

/// <summary>What a transformer does where an image is missing or cannot be read.</summary>
public enum UnreadableImage
{
    /// <summary>An <see cref="ImageReadException"/> names the row, the column and the file.</summary>
    Throw,

    /// <summary>The row gets a missing value: features that are NaN, or no masks.</summary>
    MissingValue,
}
