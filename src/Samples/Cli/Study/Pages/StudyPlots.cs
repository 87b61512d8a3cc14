using MaskBias.MLNet.Samples.Cli.Study.Jobs;
using MaskBias.MLNet.Samples.Pictures;
using MaskBias.MLNet.Samples.Pictures.Plots;

namespace MaskBias.MLNet.Samples.Cli.Study.Pages;

/// <summary>Writes plots where the page looks for them.</summary>
internal static class StudyPlots
{
    public static void Write(StudyFolder folder, string name, IPlot plot) => WholeFile.Write(folder.Picture(name), plot.ToPng());
}
