using MaskBias.MLNet.Samples.Pictures.Drawing;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>One measure over the steps of a run, its epochs along the top.</summary>
internal sealed record CurvePlot : IPlot
{
    public required string Title { get; init; }

    /// <summary>The steps that have a value, ascending.</summary>
    public required IReadOnlyList<double> Steps { get; init; }

    /// <summary>A finite value for each of <see cref="Steps"/>; at least one.</summary>
    public required IReadOnlyList<double> Values { get; init; }

    /// <summary>Steps of the run so far.</summary>
    public required long LastStep { get; init; }

    /// <summary>Epochs of the run so far.</summary>
    public required int Epochs { get; init; }

    /// <summary>Whether every value is drawn thin and their running mean thick; else the values alone are.</summary>
    public bool IsNoisy { get; init; }

    /// <summary>Whether each value has a dot: there are few.</summary>
    public bool HasDots { get; init; }

    public SKSizeI Size => new(720, 360);

    public void Draw(IDrawing drawing, SKRect panel)
    {
        var frame = new PlotFrame(drawing, panel, (0, LastStep), (Values.Min(), Values.Max()));
        frame.DrawSteps();
        frame.DrawValues();
        frame.MarkEpochs(Epochs, (double)LastStep / Math.Max(1, Epochs));
        frame.Title(Title, "epoch", "step");
        if (IsNoisy) frame.DrawLine(Steps, Values, Ink.Faint, thickness: 1);
        frame.DrawLine(Steps, IsNoisy ? RunningMean.Of(Values) : Values, Ink.Series(0), thickness: 2.5f);
        for (int i = 0; HasDots && i < Values.Count; i++) frame.DrawPoint(Steps[i], Values[i], Ink.Series(0), radius: 4);
    }
}
