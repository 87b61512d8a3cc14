using System.Globalization;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using Spectre.Console;

namespace MaskBias.MLNet.Samples.Cli.Study.DryRuns;

/// <summary>Says what a plan would come to: its trainings, their steps, memory and operations, and the days on its devices.</summary>
internal static class StudyDryRun
{
    /// <summary>Writes a table of the trainings, each once however many cells share it, and the sums.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="images">Images to pretrain on, with those of Extra and without.</param>
    /// <param name="labelled">Labelled images to learn from.</param>
    /// <param name="session">Receives them.</param>
    public static void Write(StudyPlan plan, (int WithExtra, int Without) images, int labelled, Session session)
    {
        var trainings = plan.Cells.SelectMany(cell => Of(plan, cell, cell.Extra ? images.WithExtra : images.Without, labelled))
            .DistinctBy(t => t.Key).ToList();
        var table = new Table().AddColumns("training", "images", "epochs", "batch", "steps", "parameters", "10¹² operations", "GB")
            .Border(TableBorder.Simple);
        foreach (var (_, name, cost) in trainings)
        {
            table.AddRow(Markup.Escape(name), Text(cost.Images), Text(cost.Epochs), Text(cost.Batch), Text(cost.Steps),
                Text(cost.Parameters),
                Text(Math.Round(cost.TeraOperations)), cost.Gigabytes.ToString("0.0", CultureInfo.InvariantCulture));
        }
        session.Console.Write(table);
        double operations = plan.Seeds.Count * trainings.Sum(t => t.Cost.TeraOperations), most = trainings.Max(t => t.Cost.Gigabytes);
        session.Note("Operations are those of products of matrices; memory is estimated, without what libtorch takes for itself. "
            + "Measuring the encoders comes on top.");
        session.Result(
        [
            ("cells", plan.Cells.Count), ("seeds", plan.Seeds.Count), ("trainings", trainings.Count * plan.Seeds.Count),
            ("steps", plan.Seeds.Count * trainings.Sum(t => t.Cost.Steps)), ("operations, 10¹²", Math.Round(operations)),
            ("memory, GB", Math.Round(most, 1)),
            .. plan.Devices.Select(d => ($"days on {d.Name} at {d.TeraFlops.ToString(CultureInfo.InvariantCulture)}·10¹² operations/s",
                (object?)(Days(operations / d.TeraFlops)
                    + (most > d.Gigabytes ? $", but {d.Gigabytes} GB are too few: raise AccumulationSteps" : "")))),
        ]);
    }

    private static IEnumerable<(string Key, string Name, TrainingCost Cost)> Of(StudyPlan plan, StudyCell cell, int images, int labelled)
    {
        switch (cell.Method)
        {
            case StudyMethod.Random or StudyMethod.RandomMae:
                yield break;
            case StudyMethod.Supervised:
                foreach (double fraction in cell.Fractions)
                {
                    int known = Math.Max(1, (int)(labelled * fraction));
                    var labels = PlanOptions.Supervised(plan, cell, 1, known);
                    yield return (FormattableString.Invariant($"{Values(labels)} {fraction}"),
                        FormattableString.Invariant($"{cell.Name}, {100 * fraction:0.##}% of the labels"),
                        TrainingCost.OfLabels(labels, known, PlanOptions.Encoder(plan)));
                }
                yield break;
            default:
                MLNet.Training.PretrainingOptions options = cell.Method == StudyMethod.Mae
                    ? PlanOptions.Mae(plan, cell, 1, images) : PlanOptions.Dino(plan, cell, 1, images);
                var encoder = PlanOptions.Encoder(plan, cell);
                string key = $"{Values(options)} {cell.Masks} {cell.Shuffled} {cell.Extra}";
                yield return (key, cell.Name + (cell.Distilled ? ": teacher" : ""), TrainingCost.Of(options, images, encoder));
                if (!cell.Distilled) yield break;
                var distillation = PlanOptions.Distillation(plan, cell, 1, images);
                yield return (key + Values(distillation), cell.Name,
                    TrainingCost.Of(distillation, images, distillation.Student ?? encoder, encoder));
                break;
        }
    }

    private static string Values(object options) => string.Join(' ', PlanOptions.Values(options).Select(o => $"{o.Name}={o.Value}"));

    private static string Text(double number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Days(double seconds) =>
        (seconds / 86400).ToString(seconds < 864 ? "0.####" : "0.##", CultureInfo.InvariantCulture);
}
