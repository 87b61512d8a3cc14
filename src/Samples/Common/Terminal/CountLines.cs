using Spectre.Console;

namespace MaskBias.MLNet.Samples.Common.Terminal;

/// <summary>A line every ten seconds that tells how many of the images are done: nothing where all are done sooner.</summary>
internal sealed class CountLines(IAnsiConsole console, int total, TimeProvider time) : IProgress<int>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly long start = time.GetTimestamp();
    private long last = time.GetTimestamp();

    public void Report(int value)
    {
        if (value <= 0 || value >= total || time.GetElapsedTime(last) < Interval) return;
        last = time.GetTimestamp();
        var remaining = time.GetElapsedTime(start) / value * (total - value);
        console.WriteLine($"  {value} of {total} images  {LiveProgress.Clock(remaining)} left");
    }
}
