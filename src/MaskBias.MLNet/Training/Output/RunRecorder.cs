using System.Diagnostics;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Training.Output;

/// <summary>Keeps a run on disk: its description, its checkpoints when they are due, its metrics, and what led to a fault.</summary>
internal sealed class RunRecorder(RunFolder folder, RunOutputOptions options, VisionEncoder encoder, TrainingPlan plan) : IDisposable
{
    private readonly Stopwatch sinceCheckpoint = Stopwatch.StartNew();
    private MetricsFile? metrics;
    private TensorBoardFile? tensorBoard;
    private long lastSaved = -1;

    /// <summary>Does what takes long; the other ranks of a run wait meanwhile.</summary>
    public Action<Action> Busy { get; init; } = work => work();

    /// <summary>The newest whole checkpoint, or null.</summary>
    public string? LastCheckpoint => folder.CheckpointFolder.Last;

    /// <summary>Takes up the run in the folder, or writes the description of a new one.</summary>
    /// <returns>The step that comes next and the checkpoint to take the state from; null to start from the beginning.</returns>
    /// <exception cref="InvalidOperationException">The run in the folder was of other options or other images; each is named.</exception>
    /// <exception cref="InvalidDataException">Its checkpoints are damaged, or not of this run.</exception>
    public (string Path, TrainingPosition Next)? Begin(RunDescription description, RunLog log)
    {
        (string Path, TrainingPosition Next)? last = null;
        if (folder.Earlier is { } earlier)
        {
            var differences = description.DifferencesFrom(earlier).ToList();
            if (differences.Count > 0)
            {
                string other = description.Options.ContainsKey("StartFrom") ? "; StartFrom begins a new run from trained weights." : ".";
                throw new InvalidOperationException($"The run in {folder.Path} cannot be resumed:{string.Concat(differences.Select(d => "\n  - " + d))}"
                    + $"\nGive the values it began with, or start anew with WhenUsed = Overwrite{other}");
            }
            last = folder.CheckpointFolder.FindLast(log.Warn);
            if (last is { } found && (found.Next.Step > plan.Steps || found.Next.Epoch != found.Next.Step / plan.StepsPerEpoch))
                throw new InvalidDataException($"{found.Path} is of epoch {found.Next.Epoch + 1} and step {found.Next.Step}, which this run does not have.");
            log.Info(last is null ? $"The run in {folder.Path} had no checkpoint yet; it starts from the beginning."
                : $"The run goes on from {last.Value.Path}, at step {last.Value.Next.Step}.");
        }
        else
        {
            folder.MakeRoom();
            description.Write(folder.Path);
        }
        lastSaved = last?.Next.Step ?? -1;
        metrics = new(folder.Path, last?.Next.Step ?? 0);
        tensorBoard = options.TensorBoard ? new(folder.Path) : null;
        return last;
    }

    /// <summary>Writes a step's numbers.</summary>
    public void Record(TrainingProgress progress)
    {
        metrics?.Report(progress);
        tensorBoard?.Report(progress);
    }

    /// <summary>Writes a checkpoint where one is due.</summary>
    public void AfterStep(TrainingPosition next, Func<TrainingState> state)
    {
        bool epochEnds = next.Step % plan.StepsPerEpoch == 0 && options.CheckpointEpochs > 0 && next.Epoch % options.CheckpointEpochs == 0;
        bool timeIsUp = options.CheckpointMinutes > 0 && sinceCheckpoint.Elapsed.TotalMinutes >= options.CheckpointMinutes;
        if (epochEnds || timeIsUp) Save(next, state());
    }

    /// <summary>Writes a checkpoint, unless the newest is of this step.</summary>
    public void Save(TrainingPosition next, TrainingState state)
    {
        if (lastSaved == next.Step) return;
        Busy(() => folder.CheckpointFolder.Write(next, state, path => EncoderCheckpoint.Save(encoder, path)));
        lastSaved = next.Step;
        sinceCheckpoint.Restart();
    }

    /// <summary>Writes the batch and the state before a step that diverged; gives the fault with their places.</summary>
    public TrainingDivergedException Replay(
        IDisposable batch, TrainingPosition position, TrainingState state, TrainingDivergedException fault, Action<string> warn)
    {
        string replay = folder.ReplayFolder(position.Step);
        try
        {
            if (Directory.Exists(replay)) Directory.Delete(replay, recursive: true);
            CheckpointFolder.Write(replay, position, state, path => EncoderCheckpoint.Save(encoder, path));
            if (batch is ITrainingBatch known)
            {
                var rows = new Dictionary<string, string> { ["rows"] = string.Join(",", known.SourceRows) };
                SafetensorsWriter.Write(Path.Combine(replay, "batch.safetensors"), known.Tensors, rows);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            warn($"What led to the fault cannot be written to {replay}: {e.Message}");
            return fault.With(LastCheckpoint, null);
        }
        return fault.With(LastCheckpoint, replay);
    }

    public void Dispose() => metrics?.Dispose();
}
