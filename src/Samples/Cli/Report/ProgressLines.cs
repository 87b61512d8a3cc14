using System.Diagnostics;

namespace MaskBias.MLNet.Samples.Cli.Report;

/// <summary>Tells of long work in lines, at most one every two seconds.</summary>
internal sealed class ProgressLines(TextWriter writer) : IProgress<string>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private long last = Stopwatch.GetTimestamp();

    public void Report(string value)
    {
        if (Stopwatch.GetElapsedTime(last) < Interval) return;
        last = Stopwatch.GetTimestamp();
        writer.WriteLine(value);
    }
}
