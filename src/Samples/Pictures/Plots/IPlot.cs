using MaskBias.MLNet.Samples.Pictures.Drawing;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>A plot that can be drawn anywhere.</summary>
internal interface IPlot
{
    /// <summary>The size that it is made for, in pixels.</summary>
    SKSizeI Size { get; }

    /// <summary>Draws the plot into a part of a drawing.</summary>
    void Draw(IDrawing drawing, SKRect panel);
}
