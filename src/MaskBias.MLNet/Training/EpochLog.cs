using System.Globalization;
using MaskBias.MLNet.Training.Monitoring;
using MaskBias.MLNet.Training.Output;

namespace MaskBias.MLNet.Training;

/// <summary>
/// Passes every report on, to the output folder too, and at the end of each epoch writes a line to the MLContext's log and has the encoder
/// measured.
/// </summary>
internal sealed class EpochLog(IProgress<TrainingProgress>? next, RunLog log, RunRecorder? recorder, NearestNeighborMonitor? monitor)
    : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value)
    {
        if (value.Step * value.Epochs == value.Epoch * value.Steps)
        {
            log.Info(string.Create(CultureInfo.InvariantCulture, $"{value.Phase}: epoch {value.Epoch} of {value.Epochs}, loss {value.Loss:f4}, ")
                + string.Create(CultureInfo.InvariantCulture, $"{value.ImagesPerSecond:f1} images/s, {(int)value.Remaining.TotalHours:00}:{value.Remaining:mm\\:ss} left."));
            value = monitor?.AtEndOfEpoch(value, log) ?? value;
        }
        recorder?.Record(value);
        next?.Report(value);
    }
}
