namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>Smooths a curve.</summary>
internal static class RunningMean
{
    /// <summary>The mean over a thirtieth of the values around each one, so that the line does not trail behind.</summary>
    public static double[] Of(IReadOnlyList<double> values)
    {
        int reach = values.Count / 60;
        return [.. values.Select((_, i) =>
        {
            int from = Math.Max(0, i - reach), to = Math.Min(values.Count, i + reach + 1);
            return values.Skip(from).Take(to - from).Average();
        })];
    }
}
