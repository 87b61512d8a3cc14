namespace MaskBias.MLNet.Training;

/// <summary>Where a training run stands; reported after every step.</summary>
/// <param name="Phase">What is being trained, for instance "DINO" or "Distillation".</param>
/// <param name="Epoch">Current epoch, counted from 1.</param>
/// <param name="Epochs">Epochs in the run.</param>
/// <param name="Step">Steps done, those before a resumed run was interrupted included.</param>
/// <param name="Steps">Steps in the run.</param>
/// <param name="Loss">Loss of the last step.</param>
/// <param name="LearningRate">Learning rate of the last step.</param>
/// <param name="ImagesPerSecond">Images per second since training began, or was resumed.</param>
/// <param name="Elapsed">Time since training began, or was resumed.</param>
/// <param name="Remaining">Estimated time to the end of the run.</param>
public sealed record TrainingProgress(
    string Phase, int Epoch, int Epochs, long Step, long Steps, double Loss, double LearningRate, double ImagesPerSecond, TimeSpan Elapsed, TimeSpan Remaining)
{
    internal const string NearestNeighborMetric = "k-NN accuracy";

    internal static readonly IReadOnlyDictionary<string, double> NoMetrics = new Dictionary<string, double>();

    /// <summary>Weight decay of the last step.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Norm of the whole gradient of the last step, before clipping.</summary>
    public double GradientNorm { get; init; }

    /// <summary>Memory of this process, in bytes. On the CPU it holds tensors too.</summary>
    public long ProcessMemory { get; init; }

    /// <summary>
    /// What was observed beside the loss, by name: of DINO's teacher every so many steps (docs/reliability.md), of a classifier the measures of
    /// the epoch that has just ended, such as "validation accuracy".
    /// </summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = NoMetrics;

    /// <summary>
    /// Accuracy by nearest neighbours after the epoch that has just ended, where <see cref="PretrainingOptions.NearestNeighborMonitor"/>
    /// measured it; else null. Also in <see cref="Metrics"/>, as "k-NN accuracy".
    /// </summary>
    public double? NearestNeighborAccuracy => Metrics.TryGetValue(NearestNeighborMetric, out double accuracy) ? accuracy : null;
}
