namespace MaskBias.MLNet.Training;

/// <summary>Where a training run stands; reported after every step.</summary>
/// <param name="Phase">What is being trained, for instance "DINO" or "Distillation".</param>
/// <param name="Epoch">Current epoch, counted from 1.</param>
/// <param name="Epochs">Epochs in the run.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Steps in the run.</param>
/// <param name="Loss">Loss of the last step.</param>
/// <param name="LearningRate">Learning rate of the last step.</param>
/// <param name="ImagesPerSecond">Images per second since the start of the run.</param>
/// <param name="Elapsed">Time since the start of the run.</param>
/// <param name="Remaining">Estimated time to the end of the run.</param>
public sealed record TrainingProgress(
    string Phase, int Epoch, int Epochs, long Step, long Steps, double Loss, double LearningRate, double ImagesPerSecond, TimeSpan Elapsed, TimeSpan Remaining)
{
    /// <summary>Measures of the epoch that has just ended, such as "validation accuracy"; empty between epochs.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<string, double>.Empty;
}
