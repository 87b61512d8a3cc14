using System.Globalization;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Output;

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

    /// <summary>What the option of that name says, also where the method clips by itself; null where a run has none.</summary>
    public double? ClipGradientOption { get; init; }

    public long Steps => (long)Epochs * StepsPerEpoch;

    /// <summary>Describes the run.</summary>
    /// <param name="seed">Its seed.</param>
    /// <param name="options">Its options.</param>
    /// <param name="startingPoint">What else bears on what is computed, by name.</param>
    /// <param name="store">Its images.</param>
    /// <param name="adjustments">The options that a short run or a small set changed, and why.</param>
    /// <param name="device">The device, and why it was chosen.</param>
    public RunDescription Describe(
        int seed, object options, IReadOnlyDictionary<string, string> startingPoint, ImageStore store, IReadOnlyList<string> adjustments,
        string device) => new()
        {
            Phase = Phase, Seed = seed, Data = store.Fingerprint(), Adjustments = [.. adjustments],
            Options = new SortedDictionary<string, string>(
                OptionsDescription.Of(options).Concat(startingPoint).ToDictionary(), StringComparer.Ordinal),
            Resolved = new Dictionary<string, string>
            {
                ["images"] = $"{store.Count}", ["skippedRows"] = $"{store.Skipped}", [RunDescription.BatchSize] = $"{BatchSize}",
                ["accumulationSteps"] = $"{AccumulationSteps}", ["epochs"] = $"{Epochs}", ["stepsPerEpoch"] = $"{StepsPerEpoch}",
                ["steps"] = $"{Steps}", ["learningRate"] = LearningRate.Peak.ToString("g6", CultureInfo.InvariantCulture),
                ["device"] = device, ["torchSharp"] = typeof(TorchSharp.torch.Device).Assembly.GetName().Version?.ToString(3) ?? "",
            },
        };
}
