using MaskBias.MLNet.Samples.Pictures;
using MaskBias.MLNet.Samples.Pictures.Drawing;
using MaskBias.MLNet.Samples.Pictures.Plots;
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
        WholeFile.Write(path, SkiaDrawing.Png(PanelWidth * panels.Count, Height, drawing =>
        {
            for (int i = 0; i < panels.Count; i++)
                Plot(panels[i].Phase, panels[i].Losses, panels[i].Epochs).Draw(drawing, SKRect.Create(i * PanelWidth, 0, PanelWidth, Height));
        }));
    }

    private static CurvePlot Plot(string phase, IReadOnlyList<double> all, int epochs)
    {
        var steps = Enumerable.Range(0, all.Count).Where(i => double.IsFinite(all[i])).ToList();
        return new()
        {
            Title = $"{phase}: loss", Steps = [.. steps.Select(i => i + 1.0)], Values = [.. steps.Select(i => all[i])], LastStep = all.Count,
            Epochs = epochs, IsNoisy = true,
        };
    }
}
