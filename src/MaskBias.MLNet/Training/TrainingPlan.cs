namespace MaskBias.MLNet.Training;

/// <summary>How a run proceeds: its length and its schedules.</summary>
internal sealed record TrainingPlan
{
    /// <summary>What is trained, for progress reports.</summary>
    public required string Phase { get; init; }

    public required int Epochs { get; init; }

    public required int StepsPerEpoch { get; init; }

    /// <summary>Parts of a batch whose gradients are averaged before each update.</summary>
    public int AccumulationSteps { get; init; } = 1;

    /// <summary>Images in a whole batch, for the images per second.</summary>
    public required int BatchSize { get; init; }

    public required CosineSchedule LearningRate { get; init; }

    public required CosineSchedule WeightDecay { get; init; }

    /// <summary>AdamW's β₁ and β₂.</summary>
    public (double First, double Second) Betas { get; init; } = (0.9, 0.999);

    /// <summary>Largest gradient norm of one parameter tensor; 0 for no clipping.</summary>
    public double ClipGradient { get; init; }

    public long Steps => (long)Epochs * StepsPerEpoch;
}
