namespace MaskBias.MLNet.Training.Output;

/// <summary>Passes every report on, to the output folder first.</summary>
internal sealed class RecordedProgress(RunRecorder recorder, IProgress<TrainingProgress>? next) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value)
    {
        recorder.Record(value);
        next?.Report(value);
    }
}
