using System.Diagnostics;
using MaskBias.MLNet.Samples.Cli.Output;

namespace MaskBias.MLNet.Samples.Cli.Report;

/// <summary>Tells of long work in lines, at most one every two seconds, and stops it when asked to.</summary>
internal sealed class ReportProgress(Session session) : IProgress<string>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private long last = Stopwatch.GetTimestamp();

    /// <exception cref="OperationCanceledException">The work is to stop.</exception>
    public void Report(string value)
    {
        session.Token.ThrowIfCancellationRequested();
        if (Stopwatch.GetElapsedTime(last) < Interval) return;
        last = Stopwatch.GetTimestamp();
        session.Note(value);
    }
}
