using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Samples.Cli.Inputs;
using Microsoft.ML;

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

    /// <summary>What finds the masks that are shown, by the name of its source, as <see cref="MaskInput"/> knows it.</summary>
    public string MaskSource { get; init; } = MaskInput.Segment;

    /// <summary>Adds the column of masks to rows of images; its name is null where none are to be shown.</summary>
    public Func<MLContext, IDataView, (IDataView Rows, string? ColumnName)> AddMasks { get; init; } = (ml, rows) =>
        (ml.SelfSupervised().SegmentImages().Fit(rows).Transform(rows), MaskInput.ColumnName);

    /// <summary>Images that are looked at, drawn from all.</summary>
    public int MaxImages { get; init; } = 1000;

    /// <summary>Draws images and labels, and starts the untrained encoder.</summary>
    public int Seed { get; init; } = 1;
}
