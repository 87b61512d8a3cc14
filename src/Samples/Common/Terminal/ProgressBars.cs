using MaskBias.MLNet.Training;
using Spectre.Console;

namespace MaskBias.MLNet.Samples.Common.Terminal;

/// <summary>One live bar per phase.</summary>
internal sealed class ProgressBars(ProgressContext context, ProgressDetails details) : IProgress<TrainingProgress>
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, ProgressTask> bars = [];

    public void Report(TrainingProgress value)
    {
        lock (gate)
        {
            if (!bars.TryGetValue(value.Phase, out var bar))
                bars[value.Phase] = bar = context.AddTask(Markup.Escape(value.Phase), maxValue: Math.Max(1, value.Steps));
            details.Set(bar, LiveProgress.Describe(value));
            bar.Value = value.Step;
        }
    }
}
