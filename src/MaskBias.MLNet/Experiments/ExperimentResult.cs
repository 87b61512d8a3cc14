using MaskBias.MLNet.Experiments.Output;

namespace MaskBias.MLNet.Experiments;

/// <summary>What an experiment found.</summary>
public sealed class ExperimentResult : IDisposable
{
    private readonly IExperimentTask task;

    internal ExperimentResult(IExperimentTask task, IReadOnlyList<ExperimentTrial> runs, BestRun best, StopReason reason)
    {
        (this.task, Runs, BestRun, StoppedBecause) = (task, runs, best, reason);
        Leaderboard = [.. Rank(runs, task.HigherIsBetter)];
    }

    /// <summary>The best trial, with its model.</summary>
    public BestRun BestRun { get; }

    /// <summary>All trials in their order, failed and stopped ones too, those before an interruption included.</summary>
    public IReadOnlyList<ExperimentTrial> Runs { get; }

    /// <summary>The completed trials, the best first; of equals the earlier one.</summary>
    public IReadOnlyList<ExperimentTrial> Leaderboard { get; }

    /// <summary>The optimising metric.</summary>
    public string Metric => task.Metric;

    /// <summary>Why the experiment ended.</summary>
    public StopReason StoppedBecause { get; }

    /// <summary>The seed: with it and a budget of trials the ranking comes out the same.</summary>
    public required int Seed { get; init; }

    /// <summary>Rows that have a label and a readable image.</summary>
    public required int Rows { get; init; }

    /// <summary>Time in which the features of all images were computed.</summary>
    public required TimeSpan EmbeddingTime { get; init; }

    /// <summary>Time of the whole experiment; that before an interruption is not in it.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>The most memory that the process had, in bytes, looked at many times a second.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>What was warned of: rows that were left out.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>
    /// Writes all trials as CSV, the ranked ones first; texts are quoted, numbers have a point. An older file is replaced as a whole.
    /// </summary>
    public void WriteCsv(string path) => TrialTable.Write(path, Leaderboard, Runs);

    /// <summary>Writes a picture of the best trials, a bar each, as SVG, which browsers and word processors show.</summary>
    /// <param name="path">The file, usually *.svg.</param>
    /// <param name="most">Trials shown.</param>
    public void WriteLeaderboard(string path, int most = 20)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        LeaderboardPicture.Write(path, [.. Leaderboard.Take(most)], Runs, task.Metric, task.HigherIsBetter);
    }

    /// <summary>Frees the best run's model.</summary>
    public void Dispose() => BestRun.Dispose();

    internal static IEnumerable<ExperimentTrial> Rank(IEnumerable<ExperimentTrial> trials, bool higherIsBetter) =>
        trials.Where(t => t.State == TrialState.Completed).OrderBy(t => higherIsBetter ? -t.Metric : t.Metric).ThenBy(t => t.Number);
}
