namespace MaskBias.MLNet.Samples.Cli.Report;

/// <summary>What a report is made of.</summary>
internal sealed record ReportOptions
{
    /// <summary>Folder of a training run, or of the Quickstart's results.</summary>
    public required string Run { get; init; }

    /// <summary>Folder of images, in class folders or flat; null for the sections of the run alone.</summary>
    public string? Images { get; init; }

    /// <summary>The encoder that looks at the images; null for the one that the run has left.</summary>
    public string? Encoder { get; init; }

    /// <summary>A file or folder of masks; null for those of the built-in segmenter.</summary>
    public string? Masks { get; init; }

    /// <summary>Images that are looked at, drawn from all.</summary>
    public int MaxImages { get; init; } = 1000;

    /// <summary>Draws images and labels, and starts the untrained encoder.</summary>
    public int Seed { get; init; } = 1;
}
