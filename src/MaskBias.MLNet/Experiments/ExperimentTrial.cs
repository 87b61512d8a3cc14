using System.Globalization;
using System.Text.Json.Serialization;

namespace MaskBias.MLNet.Experiments;

/// <summary>One trial: what was tried, how good it was, and what it costs.</summary>
public sealed record ExperimentTrial
{
    /// <summary>Its number, counted from 1.</summary>
    public required int Number { get; init; }

    /// <summary>Name of the candidate.</summary>
    public required string Candidate { get; init; }

    /// <summary>Name of the encoder.</summary>
    public required string Encoder { get; init; }

    /// <summary>The features it learned from; null where it learned from images.</summary>
    public FeatureChoice? Features { get; init; }

    /// <summary>The values of its parameters, those of encoder and features left out.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>How it ended.</summary>
    public required TrialState State { get; init; }

    /// <summary>The optimising metric, on rows that were not learned from; null where the trial did not complete.</summary>
    public double? Metric { get; init; }

    /// <summary>All metrics by name; empty where the trial did not complete.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>Time spent in training.</summary>
    public TimeSpan TrainingTime { get; init; }

    /// <summary>Time that the model needed for the rows held out.</summary>
    public TimeSpan ScoringTime { get; init; }

    /// <summary>About how large the model is, encoder included, in bytes.</summary>
    public long? ModelBytes { get; init; }

    /// <summary>About how long the model takes for an image here, encoder included.</summary>
    public double? MillisecondsPerImage { get; init; }

    /// <summary>What went wrong, where the trial failed.</summary>
    public string? Error { get; init; }

    /// <summary>Seed of the trial.</summary>
    public required int Seed { get; init; }

    /// <summary>Time of the experiment that was over when the trial ended, that before an interruption included.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Where in the search space it lies.</summary>
    [JsonInclude]
    internal double[] Point { get; init; } = [];

    /// <summary>The trial in one line.</summary>
    public override string ToString()
    {
        string values = string.Join(", ", Parameters.Select(p => $"{p.Key} {p.Value}"));
        if (values.Length > 0) values = $" ({values})";
        string where = Features is null ? Encoder : $"{Encoder}, {Features}";
        string result = State == TrialState.Completed ? Metric!.Value.ToString("0.0000", CultureInfo.InvariantCulture) : $"{State}: {Error}";
        return string.Create(CultureInfo.InvariantCulture,
            $"{Number}. {Candidate} on {where}{values}: {result} in {(TrainingTime + ScoringTime).TotalSeconds:0.00} s");
    }
}
