namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>What a group of measures says of a cell's encoder of one seed.</summary>
internal sealed record MeasureResult
{
    /// <summary>Stands for all that it depends on.</summary>
    public required string Key { get; init; }

    public required string Cell { get; init; }

    public required int Seed { get; init; }

    /// <summary>Key of the training that left the encoder; null for a random one.</summary>
    public string? Run { get; init; }

    /// <summary>The class that each test image is given, by the measure's name.</summary>
    public required IReadOnlyDictionary<string, int[]> Predictions { get; init; }

    /// <summary>Seconds that it took.</summary>
    public required double Seconds { get; init; }

    public required string Device { get; init; }

    /// <summary>Where the encoder looks, or null.</summary>
    public AttentionResult? Attention { get; init; }
}
