namespace MaskBias.MLNet.Training;

/// <summary>A value per epoch: linear from a start to an end value, both included, then constant.</summary>
internal sealed class LinearSchedule(double from, double to, int epochs)
{
    /// <summary>The value at an epoch, counted from 0.</summary>
    public double At(int epoch) => epoch >= epochs ? to : epochs == 1 ? from : from + (to - from) * epoch / (epochs - 1);
}
