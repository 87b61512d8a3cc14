using MaskBias.MLNet.Samples.Pictures.Drawing;

namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>A line of a plot of several.</summary>
/// <param name="Name">What the legend calls it; lines of one name and colour stand there once.</param>
/// <param name="Ink">Its colour.</param>
/// <param name="X">Places, ascending.</param>
/// <param name="Y">A finite value for each place.</param>
/// <param name="Mark">The shape of its points.</param>
internal sealed record PlotLine(string Name, Ink Ink, IReadOnlyList<double> X, IReadOnlyList<double> Y, Mark Mark = Mark.Disc);
