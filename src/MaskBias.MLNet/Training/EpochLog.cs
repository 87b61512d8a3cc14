using System.Globalization;
using MaskBias.MLNet.Training.Monitoring;

namespace MaskBias.MLNet.Training;

/// <summary>
/// Passes every report on, and at the end of each epoch first writes a line to the MLContext's log and has the encoder measured.
/// </summary>
internal sealed class EpochLog(IProgress<TrainingProgress>? next, RunLog log, NearestNeighborMonitor? monitor)
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
        next?.Report(value);
    }
}
