namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>What the plan asked for when the folder was worked on last; other results in it are an earlier plan's.</summary>
internal sealed record AskedResult
{
    /// <summary>Keys of the results, by their files below the folder of the results.</summary>
    public required IReadOnlyDictionary<string, string> Results { get; init; }

    /// <summary>Keys of the trainings.</summary>
    public required IReadOnlyList<string> Runs { get; init; }
}
