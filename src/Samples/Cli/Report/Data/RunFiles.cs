using MaskBias.MLNet.Training.Output;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>What a folder holds of trainings.</summary>
/// <param name="Runs">The runs and what they are called; distillation, which comes second, last.</param>
/// <param name="Encoders">Encoders by name, the one to look at first.</param>
internal sealed record RunFiles(IReadOnlyList<(string Name, RunRecord Record)> Runs, IReadOnlyList<(string Name, string Path)> Encoders)
{
    private const int MostRuns = 16;

    /// <summary>Finds runs and encoders in a run's folder, or in that of the Quickstart's results.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="encoder">An encoder to look at first; null for the run's own.</param>
    /// <exception cref="IOException">There is no such folder, or nothing of a training in it.</exception>
    /// <exception cref="InvalidDataException">A run's description is damaged.</exception>
    public static RunFiles Find(string folder, string? encoder)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"There is no folder {folder}.");
        bool isRun = RunRecord.Exists(folder);
        List<(string Name, RunRecord Record)> runs = isRun ? [.. StageBefore(folder), Read(folder)] : RunsBelow(Path.Combine(folder, "runs"));
        var encoders = new List<(string, string)>();
        if (encoder is not null) encoders.Add(("encoder given", encoder));
        // A run's folder has its own encoder, the Quickstart's the student of both runs.
        foreach (var (name, part) in new[] { (isRun ? runs[^1].Name : "student", "encoder"), ("phase 1", "teacher") })
        {
            if (Directory.Exists(Path.Combine(folder, part))) encoders.Add((name, Path.Combine(folder, part)));
        }
        var checkpoints = runs.SelectMany(run => run.Record.Checkpoints, (run, checkpoint) => (run.Name, Checkpoint: checkpoint));
        if (encoders.Count == 0 && checkpoints.LastOrDefault() is { Checkpoint: { } last } found)
            encoders.Add((FormattableString.Invariant($"{found.Name}, step {last.Step}"), last.EncoderPath));
        if (runs.Count == 0 && encoders.Count == 0)
        {
            throw new FileNotFoundException(
                $"{folder} holds no training run: it has neither run.json, nor runs/ with one in a folder each, nor encoder/.");
        }
        return new(runs, encoders);
    }

    // Semi-supervised training keeps what its supervised stage leaves in a folder of its own.
    private static IEnumerable<(string Name, RunRecord Record)> StageBefore(string folder) =>
        new[] { Path.Combine(folder, "supervised") }.Where(RunRecord.Exists).Select(Read);

    private static List<(string Name, RunRecord Record)> RunsBelow(string folder) => !Directory.Exists(folder) ? [] :
    [
        .. Directory.GetDirectories(folder).Where(RunRecord.Exists).Order(StringComparer.Ordinal).Take(MostRuns).Select(Read)
            .OrderBy(run => run.Record.Phase == "Distillation"),
    ];

    private static (string Name, RunRecord Record) Read(string folder)
    {
        var record = RunRecord.Read(folder);
        return (record.Phase, record);
    }
}
