using System.Globalization;
using MaskBias.MLNet.Training;
using Spectre.Console;

namespace MaskBias.MLNet.Samples.Common.Terminal;

/// <summary>Shows a training run while it works: live bars on a terminal, a plain line now and then where output goes to a file.</summary>
/// <remarks>Reports are taken in on the thread that sends them; nothing is posted to another.</remarks>
internal static class LiveProgress
{
    private const int TextWidth = 72;                     // what description, percentage and details take beside the bar

    /// <summary>Runs training on the calling thread and shows what it reports.</summary>
    public static void Run(IAnsiConsole console, Action<IProgress<TrainingProgress>> train)
    {
        if (!console.Profile.Capabilities.Interactive)
        {
            train(new ProgressLines(console, TimeProvider.System));
            return;
        }
        var details = new ProgressDetails();
        var bar = new ProgressBarColumn { Width = Math.Clamp(console.Profile.Width - TextWidth, 6, 30) };
        console.Progress()
            .AutoClear(false)
            .HideCompleted(false)
            .Columns(new TaskDescriptionColumn(), bar, new PercentageColumn(), details)
            .Start(context => train(new ProgressBars(context, details)));
    }

    /// <summary>Loss, accuracy where it was just measured, speed and time left of a report, in one line.</summary>
    public static string Describe(TrainingProgress report) => FormattableString.Invariant(
        $"epoch {report.Epoch}/{report.Epochs}  loss {report.Loss:0.000}{Accuracy(report)}  {report.ImagesPerSecond:0} img/s  {Remaining(report)}");

    /// <summary>A duration as minutes and seconds, with hours where there are any.</summary>
    public static string Clock(TimeSpan time) => time.TotalHours < 1
        ? FormattableString.Invariant($"{time.Minutes}:{time.Seconds:00}")
        : FormattableString.Invariant($"{(long)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}");

    private static string Accuracy(TrainingProgress report) =>
        report.NearestNeighborAccuracy is { } share ? string.Create(CultureInfo.InvariantCulture, $"  k-NN {share:0.0%}") : "";

    private static string Remaining(TrainingProgress report) =>
        report.Step >= report.Steps ? $"took {Clock(report.Elapsed)}" : $"{Clock(report.Remaining)} left";
}
