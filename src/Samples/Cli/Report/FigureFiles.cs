using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures;

namespace MaskBias.MLNet.Samples.Cli.Report;

/// <summary>Writes the figures of a report as files.</summary>
internal static class FigureFiles
{
    /// <summary>Writes a PNG for each figure into a folder, created where missing.</summary>
    /// <returns>How many.</returns>
    public static int Write(string folder, IEnumerable<ReportSection> sections)
    {
        var taken = new HashSet<string>();
        foreach (var figure in sections.SelectMany(section => section.Parts).OfType<IFigure>())
        {
            string name = SafeText.Slug(figure.Name), free = name;
            for (int i = 2; !taken.Add(free); i++) free = FormattableString.Invariant($"{name}-{i}");
            WholeFile.Write(Path.Combine(folder, free + ".png"), figure.ToPng());
        }
        return taken.Count;
    }
}
