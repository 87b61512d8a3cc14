using MaskBias.MLNet.Training;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>Draws the loss of each phase over its steps: every step thin, their running mean thick, the epochs along the top.</summary>
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
        using var surface = SKSurface.Create(new SKImageInfo(PanelWidth * panels.Count, Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        surface.Canvas.Clear(SKColors.White);
        for (int i = 0; i < panels.Count; i++)
            Draw(surface.Canvas, SKRect.Create(i * PanelWidth, 0, PanelWidth, Height), panels[i].Phase, panels[i].Reports);
        PictureFile.Write(path, surface);
    }

    private static void Draw(SKCanvas canvas, SKRect panel, string phase, List<TrainingProgress> reports)
    {
        var last = reports[^1];
        double[] losses = [.. reports.Select(r => r.Loss)];
        double epoch = (double)last.Steps / Math.Max(1, last.Epochs);
        using var frame = new PlotFrame(canvas, panel, (0, last.Steps), (losses.Min(), losses.Max()));
        frame.DrawSteps();
        frame.DrawValues();
        int every = Math.Max(1, (int)Math.Ceiling(last.Epochs / 10.0));
        for (int e = every; e <= last.Epochs; e += every) frame.MarkTop(e * epoch, FormattableString.Invariant($"{e}"));
        frame.Title($"{phase}: loss", "epoch", "step");
        frame.DrawLine([.. reports.Select(r => (double)r.Step)], losses, new SKColor(0x70, 0xA0, 0xD0), thickness: 1);
        frame.DrawLine([.. reports.Select(r => (double)r.Step)], Smoothed(losses), new SKColor(0x00, 0x30, 0x80), thickness: 2.5f);
    }

    // The mean over a thirtieth of the run around each step, so that the line does not trail behind.
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
