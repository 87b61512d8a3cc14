using MaskBias.MLNet.Training;

namespace MaskBias.MLNet.Tests.Training.Output;

/// <summary>Does something at every report, on the training thread.</summary>
internal sealed class Each(Action<TrainingProgress> action) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => action(value);
}
