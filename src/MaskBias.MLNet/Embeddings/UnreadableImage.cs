namespace MaskBias.MLNet.Embeddings;

/// <summary>What happens where an image is missing or cannot be read.</summary>
public enum UnreadableImage
{
    /// <summary>An <see cref="Images.ImageReadException"/> names the row, the column and the file.</summary>
    Throw,

    /// <summary>The row's features are NaN, ML.NET's missing value.</summary>
    MissingValue,
}
