namespace MaskBias.MLNet.Training;

/// <summary>Where a training run stands; handed to an <see cref="IProgress{T}"/> from the training thread.</summary>
/// <param name="Phase">What is being trained, such as a method's name; one run may report several phases one after another.</param>
/// <param name="Epoch">The epoch in progress, from 1.</param>
/// <param name="Epochs">Epochs of the phase.</param>
/// <param name="Step">Optimizer steps done in the phase, at least 1.</param>
/// <param name="Steps">Optimizer steps of the phase.</param>
/// <param name="Loss">Loss of the latest step.</param>
/// <param name="LearningRate">Learning rate of the latest step.</param>
/// <param name="ImagesPerSecond">Images trained on per second, lately.</param>
/// <param name="Elapsed">Time since the phase began.</param>
/// <param name="Remaining">Estimated time until the phase ends.</param>
public sealed record TrainingProgress(
    string Phase, int Epoch, int Epochs, long Step, long Steps, double Loss, double LearningRate, double ImagesPerSecond,
    TimeSpan Elapsed, TimeSpan Remaining);
