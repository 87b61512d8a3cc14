using System.Globalization;
using MaskBias.MLNet.Training;
using ScottPlot;
using ScottPlot.MultiplotLayouts;
using ScottPlot.TickGenerators;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>Draws the loss of each phase over its steps, with a smoothed line, and the epochs along the top.</summary>
internal static class LossCurve
{
    private const int PanelWidth = 720, Height = 420;

    /// <summary>Writes a PNG with a panel per phase.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="phases">Each phase's reports, in order; reports whose loss is not finite are left out.</param>
    /// <exception cref="ArgumentException">No phase has a finite loss.</exception>
    public static void Write(string path, IReadOnlyList<(string Phase, IReadOnlyList<TrainingProgress> Reports)> phases)
    {
        var panels = phases
            .Select(p => (p.Phase, Reports: p.Reports.Where(r => double.IsFinite(r.Loss)).ToList()))
            .Where(p => p.Reports.Count > 0)
            .ToList();
        if (panels.Count == 0) throw new ArgumentException("There is no finite loss to draw.", nameof(phases));
        var sheet = new Multiplot { Layout = new Columns() };
        sheet.AddPlots(panels.Count);
        for (int i = 0; i < panels.Count; i++) Draw(sheet.GetPlot(i), panels[i].Phase, panels[i].Reports);
        using var surface = SKSurface.Create(new SKImageInfo(PanelWidth * panels.Count, Height));
        sheet.Render(surface);
        PictureFile.Write(path, surface);
        foreach (var plot in sheet.GetPlots()) plot.Dispose();
    }

    private static void Draw(Plot plot, string phase, List<TrainingProgress> reports)
    {
        double[] steps = [.. reports.Select(r => (double)r.Step)], losses = [.. reports.Select(r => r.Loss)];
        var raw = plot.Add.ScatterLine(steps, losses, Colors.SteelBlue.WithAlpha(0.35));
        raw.LegendText = "each report";
        var smooth = plot.Add.ScatterLine(steps, Smoothed(losses), Colors.DarkBlue);
        (smooth.LegendText, smooth.LineWidth) = ("smoothed", 2);

        plot.Title($"{phase}: epochs above, steps below");
        plot.XLabel("step");
        plot.YLabel("loss");
        plot.ShowLegend(Alignment.UpperRight);
        ShowEpochs(plot, reports[^1]);
        plot.Font.Set(PlotFont.Name);
        plot.Axes.Title.Label.Bold = false;
    }

    // A second axis would need its own data; labels at the steps where epochs end say the same.
    private static void ShowEpochs(Plot plot, TrainingProgress last)
    {
        double stepsPerEpoch = (double)Math.Max(last.Steps, 1) / Math.Max(last.Epochs, 1);
        int every = Math.Max(1, (int)Math.Ceiling(last.Epochs / 10.0));
        var ticks = new NumericManual();
        for (int epoch = every; epoch <= last.Epochs; epoch += every)
            ticks.AddMajor(epoch * stepsPerEpoch, epoch.ToString(CultureInfo.InvariantCulture));
        plot.Axes.Top.TickGenerator = ticks;
        double right = Math.Max(last.Steps, 1) * 1.01;
        plot.Axes.SetLimitsX(0, right);
        plot.Axes.SetLimitsX(0, right, plot.Axes.Top);
    }

    // The mean over a thirtieth of the run around each report, so that the line does not trail behind.
    private static double[] Smoothed(double[] losses)
    {
        int reach = losses.Length / 60;
        return [.. losses.Select((_, i) =>
        {
            int from = Math.Max(0, i - reach), to = Math.Min(losses.Length, i + reach + 1);
            return losses[from..to].Average();
        })];
    }
}
