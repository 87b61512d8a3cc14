using System.Diagnostics;
using Spectre.Console;

namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>Runs the stages of the job one after another, announces each and keeps its time.</summary>
internal sealed class StageClock(IAnsiConsole console, CancellationToken cancel)
{
    private readonly List<(string Stage, TimeSpan Time)> stages = [];

    public IReadOnlyList<(string Stage, TimeSpan Time)> Stages => stages;

    /// <summary>Runs a stage.</summary>
    /// <param name="stage">Its name in the table of times, such as "segment".</param>
    /// <param name="announcement">What is shown before it begins.</param>
    /// <param name="work">The work.</param>
    public void Run(string stage, string announcement, Action work)
    {
        cancel.ThrowIfCancellationRequested();
        console.MarkupLineInterpolated($"[bold]{announcement}[/]");
        var watch = Stopwatch.StartNew();
        work();
        stages.Add((stage, watch.Elapsed));
    }
}
