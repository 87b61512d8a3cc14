namespace MaskBias.MLNet.Training.Output;

/// <summary>
/// A training run as the folder tells that <see cref="RunOutputOptions.Folder"/> named: its configuration, its metrics, its checkpoints. The
/// run may still be going on.
/// </summary>
public sealed class RunRecord
{
    private readonly RunDescription description;

    private RunRecord(string folder, RunDescription description) => (Folder, this.description) = (folder, description);

    /// <summary>The run's folder.</summary>
    public string Folder { get; }

    /// <summary>What was trained, for instance "DINO", "Distillation" or "Fine-tuning".</summary>
    public string Phase => description.Phase;

    /// <summary>Version of the library that began the run.</summary>
    public string Library => description.Library;

    /// <summary>The seed.</summary>
    public int Seed => description.Seed;

    /// <summary>Every option that bears on what is computed, by its name: <c>Encoder.Depth</c> is <c>12</c>.</summary>
    public IReadOnlyDictionary<string, string> Options => description.Options;

    /// <summary>What came of the options: images, batch, steps, learning rate, device.</summary>
    public IReadOnlyDictionary<string, string> Resolved => description.Resolved;

    /// <summary>The options that a short run or a small set changed, and why.</summary>
    public IReadOnlyList<string> Adjustments => description.Adjustments;

    /// <summary>The checkpoints that are kept, the oldest first. They are not checked.</summary>
    public IReadOnlyList<RunCheckpoint> Checkpoints =>
    [
        .. CheckpointFolder.In(Path.Combine(Folder, RunFolder.Checkpoints)).OrderBy(c => c.Step)
            .Select(c => new RunCheckpoint(c.Step, Path.Combine(c.Path, CheckpointFolder.EncoderFolder))),
    ];

    /// <summary>Whether a folder is that of a run.</summary>
    public static bool Exists(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return File.Exists(Path.Combine(folder, RunDescription.FileName));
    }

    /// <summary>Reads a run's configuration.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <exception cref="FileNotFoundException">The folder holds no run.json.</exception>
    /// <exception cref="InvalidDataException">run.json is damaged, newer or not of this library.</exception>
    public static RunRecord Read(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return new(folder, RunDescription.Read(folder)
            ?? throw new FileNotFoundException($"{folder} holds no run: there is no {RunDescription.FileName} in it."));
    }

    /// <summary>Reads what was written of each step so far, in order, while it is enumerated; nothing where nothing was.</summary>
    /// <exception cref="InvalidDataException">The file of metrics is larger than any run's.</exception>
    public IEnumerable<RunMetrics> ReadMetrics() => MetricsFile.Read(Folder);
}
