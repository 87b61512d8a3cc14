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

    /// <summary>Duration of the training steps.</summary>
    public required TimeSpan Elapsed { get; init; }
}
