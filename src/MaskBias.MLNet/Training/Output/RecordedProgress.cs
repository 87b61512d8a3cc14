namespace MaskBias.MLNet.Training.Output;

/// <summary>Passes every report on, to the output folder first.</summary>
internal sealed class RecordedProgress : IProgress<TrainingProgress>
{
    private readonly RunRecorder recorder;
    private readonly IProgress<TrainingProgress>? next;

    private RecordedProgress(RunRecorder recorder, IProgress<TrainingProgress>? next) => (this.recorder, this.next) = (recorder, next);

    /// <summary>Who hears of the steps of a run: the next alone where nothing is kept.</summary>
    public static IProgress<TrainingProgress>? Of(RunRecorder? recorder, IProgress<TrainingProgress>? next) =>
        recorder is null ? next : new RecordedProgress(recorder, next);

    public void Report(TrainingProgress value)
    {
        recorder.Record(value);
        next?.Report(value);
    }
}
