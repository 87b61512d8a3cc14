namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>What a run found, for the table at its end.</summary>
internal sealed record QuickstartReport
{
    /// <summary>Images trained on.</summary>
    public required int TrainImages { get; init; }

    /// <summary>Images held out.</summary>
    public required int TestImages { get; init; }

    /// <summary>Classes; 0 when the images carry no labels.</summary>
    public required int Classes { get; init; }

    /// <summary>A row per encoder; without labels there are none.</summary>
    public required IReadOnlyList<EncoderScore> Scores { get; init; }

    /// <summary>Smallest and largest learned α over layers and heads; null when the encoder has none.</summary>
    public (double Smallest, double Largest)? Alpha { get; init; }

    /// <summary>Stages and how long each took.</summary>
    public required IReadOnlyList<(string Stage, TimeSpan Time)> Stages { get; init; }

    /// <summary>Most memory that the process held, in bytes.</summary>
    public required long PeakMemory { get; init; }

    /// <summary>Files and folders written, with what they are.</summary>
    public required IReadOnlyList<(string Path, string Content)> Files { get; init; }
}
