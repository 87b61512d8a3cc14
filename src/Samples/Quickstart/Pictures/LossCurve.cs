using SkiaSharp;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>Draws the loss of each phase over its steps: every step thin, their running mean thick, the epochs along the top.</summary>
internal static class LossCurve
{
    private const int PanelWidth = 720, Height = 420;

    /// <summary>Writes a PNG with a panel per phase.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="phases">Each phase's losses, a step each, and its epochs; what is not finite is left out.</param>
    /// <exception cref="ArgumentException">No phase has a finite loss.</exception>
    public static void Write(string path, IReadOnlyList<(string Phase, IReadOnlyList<double> Losses, int Epochs)> phases)
    {
        var panels = phases.Where(p => p.Losses.Any(double.IsFinite)).ToList();
        if (panels.Count == 0) throw new ArgumentException("There is no finite loss to draw.", nameof(phases));
        using var surface = SKSurface.Create(new SKImageInfo(PanelWidth * panels.Count, Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        surface.Canvas.Clear(SKColors.White);
        for (int i = 0; i < panels.Count; i++)
            Draw(surface.Canvas, SKRect.Create(i * PanelWidth, 0, PanelWidth, Height), panels[i].Phase, panels[i].Losses, panels[i].Epochs);
        PictureFile.Write(path, surface);
    }

    private static void Draw(SKCanvas canvas, SKRect panel, string phase, IReadOnlyList<double> all, int epochs)
    {
        var steps = Enumerable.Range(0, all.Count).Where(i => double.IsFinite(all[i])).ToList();
        double[] losses = [.. steps.Select(i => all[i])], numbers = [.. steps.Select(i => i + 1.0)];
        double epoch = (double)all.Count / Math.Max(1, epochs);
        using var frame = new PlotFrame(canvas, panel, (0, all.Count), (losses.Min(), losses.Max()));
        frame.DrawSteps();
        frame.DrawValues();
        int every = Math.Max(1, (int)Math.Ceiling(epochs / 10.0));
        for (int e = every; e <= epochs; e += every) frame.MarkTop(e * epoch, FormattableString.Invariant($"{e}"));
        frame.Title($"{phase}: loss", "epoch", "step");
        frame.DrawLine(numbers, losses, new SKColor(0x70, 0xA0, 0xD0), thickness: 1);
        frame.DrawLine(numbers, Smoothed(losses), new SKColor(0x00, 0x30, 0x80), thickness: 2.5f);
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
