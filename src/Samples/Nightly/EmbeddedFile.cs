namespace MaskBias.MLNet.Samples.Nightly;

/// <summary>A row of the Parquet file.</summary>
internal sealed class EmbeddedFile
{
    /// <summary>The file, relative to the folder, with / between its parts.</summary>
    public string Path { get; set; } = "";

    public long Length { get; set; }

    /// <summary>When the file was last written, UTC, in ticks of 100 ns.</summary>
    public long ModifiedTicks { get; set; }

    /// <summary>The model that made the embedding.</summary>
    public string ModelId { get; set; } = "";

    public List<float> Embedding { get; set; } = [];
}
