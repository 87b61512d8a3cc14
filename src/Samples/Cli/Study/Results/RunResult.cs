namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>What is known of a training.</summary>
internal sealed record RunResult
{
    /// <summary>Stands for all that the training depends on.</summary>
    public required string Key { get; init; }

    /// <summary>The first cell that asked for it.</summary>
    public required string Cell { get; init; }

    /// <summary>What was trained: DINO, MAE, Distillation, Supervised.</summary>
    public required string Phase { get; init; }

    public required int Seed { get; init; }

    /// <summary>Key of the training that left the teacher of a distillation.</summary>
    public string? Teacher { get; init; }

    public required int Images { get; init; }

    public required int Epochs { get; init; }

    public required long Steps { get; init; }

    public required int BatchSize { get; init; }

    public required double LearningRate { get; init; }

    /// <summary>Loss of each epoch, the mean of its steps.</summary>
    public required double[] Losses { get; init; }

    /// <summary>Duration of the steps; without those of an interrupted run before it was resumed.</summary>
    public required double Seconds { get; init; }

    public required double ImagesPerSecond { get; init; }

    /// <summary>Steps that were done before the last interruption.</summary>
    public required long ResumedSteps { get; init; }

    public required string Device { get; init; }

    /// <summary>Processes that worked on the study at once and shared the device.</summary>
    public required int Processes { get; init; }

    /// <summary>Every option that bears on it.</summary>
    public required IReadOnlyDictionary<string, string> Options { get; init; }

    public required IReadOnlyList<string> Adjustments { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>α and β per layer and head, over the checkpoints.</summary>
    public required IReadOnlyList<BiasAtStep> Bias { get; init; }
}
