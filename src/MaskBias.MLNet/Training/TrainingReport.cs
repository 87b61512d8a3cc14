using System.Globalization;
using MaskBias.MLNet.Weights.Export;

namespace MaskBias.MLNet.Training;

/// <summary>What a training run did.</summary>
public sealed record TrainingReport
{
    /// <summary>What was trained, for instance "DINO".</summary>
    public required string Phase { get; init; }

    /// <summary>The loss of every step.</summary>
    public required IReadOnlyList<double> Losses { get; init; }

    /// <summary>Steps in an epoch.</summary>
    public required int StepsPerEpoch { get; init; }

    /// <summary>Images in a batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Parts that a batch was computed in.</summary>
    public required int AccumulationSteps { get; init; }

    /// <summary>Images that were learned from.</summary>
    public required int Images { get; init; }

    /// <summary>Rows left out because their image could not be read.</summary>
    public required int SkippedRows { get; init; }

    /// <summary>Peak learning rate, after scaling with the batch.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The options that a short run or a small set changed, each with its value, the one in force, and why.</summary>
    public required IReadOnlyList<string> Adjustments { get; init; }

    /// <summary>The device, and why it was chosen.</summary>
    public required string Device { get; init; }

    /// <summary>Duration of the training steps, those of an interrupted run before it was resumed left out.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Steps that were done before the run was resumed; 0 for a run in one piece.</summary>
    public long ResumedSteps { get; init; }

    /// <summary>The last checkpoint, a folder; null where none was asked for.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>What was warned of: unreadable images, signs of collapse.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>
    /// Accuracy by nearest neighbours, by epoch, counted from 1; empty without <see cref="PretrainingOptions.NearestNeighborMonitor"/>. What was
    /// measured before the run was resumed is in its metrics on disk.
    /// </summary>
    public IReadOnlyDictionary<int, double> NearestNeighborAccuracies { get; init; } = new Dictionary<int, double>();

    /// <summary>Writes what is known of the run into a model card: its recipe, its data, and its last loss.</summary>
    public void Describe(ModelCard card)
    {
        ArgumentNullException.ThrowIfNull(card);
        int steps = Losses.Count;
        card.Recipe["phase"] = Phase;
        card.Recipe["epochs"] = $"{(StepsPerEpoch == 0 ? 0 : steps / StepsPerEpoch)}";
        card.Recipe["batch size"] = $"{BatchSize}";
        card.Recipe["learning rate"] = LearningRate.ToString("g4", CultureInfo.InvariantCulture);
        card.Recipe["device"] = Device;
        if (Adjustments.Count > 0) card.Recipe["adjustments"] = string.Join(" ", Adjustments);
        (card.Data["images"], card.Data["skipped rows"]) = (Images, SkippedRows);
        if (NearestNeighborAccuracies.Count > 0) card.Metrics[TrainingProgress.NearestNeighborMetric] = NearestNeighborAccuracies.MaxBy(a => a.Key).Value;
        if (steps > 0) card.Metrics["last training loss"] = Losses[^1];
    }
}
