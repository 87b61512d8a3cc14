namespace MaskBias.MLNet.Catalog;

/// <summary>A row of <see cref="ImageFolderExtensions.LoadImageFolder"/>.</summary>
public sealed class ImageFolderRow
{
    /// <summary>Full path of the file.</summary>
    public string ImagePath { get; set; } = "";

    /// <summary>Name of the class folder that the file is in; empty for a file in the folder itself.</summary>
    public string Label { get; set; } = "";
}
