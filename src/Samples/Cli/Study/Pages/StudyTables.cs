using System.Globalization;
using System.Text;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Cli.Study.Jobs;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Cli.Study.Results;
using MaskBias.MLNet.Samples.Pictures;

namespace MaskBias.MLNet.Samples.Cli.Study.Pages;

/// <summary>
/// The numbers of a study as files for other programs: results.csv with every accuracy, results.json with means and differences.
/// </summary>
internal static class StudyTables
{
    public static void Write(StudyResults results, StudyFolder folder)
    {
        WholeFile.Write(Path.Combine(folder.Root, "results.csv"), Encoding.UTF8.GetBytes(Csv(results)));
        new
        {
            name = results.Plan.Name, seeds = results.Plan.Seeds, imagesSeen = results.Plan.ImagesSeen,
            cells = results.Plan.Cells.Select(c => new
            {
                cell = c.Name,
                accuracy = results.Measures.Where(m => results.Accuracies(c.Name, m).Count > 0)
                    .ToDictionary(m => m, m => results.Accuracies(c.Name, m)),
                imagesPerSecond = results.Plan.Seeds.Select(s => results.RunsOf(c.Name, s).FirstOrDefault()?.ImagesPerSecond),
            }),
            differences = results.Plan.Pairs().SelectMany(p =>
                results.Measures.Select(m => (p.Cell, p.Against, Measure: m, D: results.Difference(p.Cell, m, p.Against))))
                .Where(d => d.D is not null).Select(d => new
                {
                    d.Cell, d.Against, d.Measure, by = results.Alike(d.Measure, d.Against), mean = d.D!.Value.Mean, low = d.D.Value.Low, high = d.D.Value.High,
                    seeds = d.D.Value.Seeds,
                }),
        }.Write(Path.Combine(folder.Root, "results.json"));
    }

    private static string Csv(StudyResults results)
    {
        var csv = new StringBuilder("cell,seed,measure,accuracy,testImages,imagesPerSecond,seconds,device\n");
        foreach (var cell in results.Plan.Cells)
        {
            foreach (int seed in results.Plan.Seeds)
            {
                var run = results.RunsOf(cell.Name, seed).FirstOrDefault();
                foreach (string measure in results.Measures)
                {
                    if (results.Accuracy(cell.Name, seed, measure) is not { } accuracy) continue;
                    csv.Append(CultureInfo.InvariantCulture, $"{CsvText.Quoted(cell.Name)},{seed},{CsvText.Quoted(measure)},{accuracy:0.######},")
                        .Append(CultureInfo.InvariantCulture, $"{results.Images!.Labels.Length},{run?.ImagesPerSecond},{run?.Seconds},")
                        .Append(CsvText.Quoted(run?.Device ?? "")).Append('\n');
                }
            }
        }
        return csv.ToString();
    }
}
