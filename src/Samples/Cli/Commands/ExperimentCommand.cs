using System.CommandLine;
using System.Globalization;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Experiments;
using MaskBias.MLNet.Experiments.Trees;
using MaskBias.MLNet.Samples.Cli.Inputs;
using MaskBias.MLNet.Samples.Cli.Options;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Samples.Pictures;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias experiment CHECKPOINT --images DIR --output DIR</c>: the best classifier on an encoder within a budget.</summary>
internal static class ExperimentCommand
{
    public static Command Create()
    {
        var command = new ExampleCommand("experiment", "Looks for the best classifier on an encoder within a budget of time or trials.",
            "experiment run/encoder --images photos --output found --minutes 10",
            "experiment run/encoder --images photos --output found --allowed k-NN,LinearProbe,LightGbm --max-trials 20");
        var checkpoint = new CheckpointInput(command, takesRandom: true);
        var photos = new PhotoInput(command, needsLabels: true);
        var output = new Option<string>("--output") { Description = "Folder for the model, the table and the pictures; a run in it goes on.", Required = true, HelpName = "folder" };
        var minutes = new Option<double?>("--minutes") { Description = "The budget of time; 3 where no budget is given." };
        var allowed = new Option<string?>("--allowed") { Description = "Candidates to try, with commas between them; all otherwise.", HelpName = "names" };
        var labels = new Option<bool>("--label-efficiency") { Description = "Also measures what the encoder is worth at 1 to 100% of the labels." };
        foreach (Option option in new Option[] { output, minutes, allowed, labels }) command.Add(option);
        var tree = new OptionTree<ClassificationExperimentSettings>(command, "ImageColumnName", "LabelColumnName", "RunFile");
        var json = Session.JsonOption();
        command.Add(json);
        command.SetAction(parsed => Session.Run(parsed, json, session =>
        {
            string folder = parsed.GetValue(output)!;
            var settings = new ClassificationExperimentSettings { Seed = 1 }.AddTrees();
            tree.Apply(parsed, settings);
            if (parsed.GetValue(minutes) is { } given) settings.MaxTime = TimeSpan.FromMinutes(given);
            else if (settings.MaxTrials is null) settings.MaxTime = TimeSpan.FromMinutes(3);
            if (parsed.GetValue(allowed) is { } names) settings.AllowedCandidates = names.Split(',', StringSplitOptions.TrimEntries);
            settings.RunFile = Path.Combine(folder, "runs.jsonl");
            settings.CancellationToken = session.Token;
            settings.Progress = new Lines(session);
            int seed = settings.Seed ?? 1;
            var ml = session.Context(seed);
            var found = photos.Load(session, parsed, seed);
            var train = PhotoSet.ToDataView(ml, found.Train);
            var experiment = UsageException.Checked(() => ml.SelfSupervised().CreateClassificationExperiment(settings));
            Directory.CreateDirectory(folder);
            using var encoder = checkpoint.Load(parsed);
            using var result = experiment.Execute(train, encoder);
            string model = Path.Combine(folder, "model.zip");
            var input = ml.Transforms.SelectColumns("ImagePath").Fit(train).Transform(train);
            WholeFile.Write(model, stream => ml.Model.Save(result.BestRun.Model, input.Schema, stream));
            result.WriteCsv(Path.Combine(folder, "runs.csv"));
            result.WriteLeaderboard(Path.Combine(folder, "leaderboard.svg"));
            if (parsed.GetValue(labels) && result.StoppedBecause != StopReason.Cancelled)
            {
                var report = ml.SelfSupervised().MeasureLabelEfficiency(train, encoder);
                report.WriteCsv(Path.Combine(folder, "labels.csv"));
                report.WritePlot(Path.Combine(folder, "labels.svg"));
            }
            // Of all labelled images these alone had no part in the choice. It is measured after Ctrl-C, too, which keeps the best so far.
            using var saved = new SavedClassifier(model, upright: true);
            var accuracy = saved.Measure(found.Test, top: 1, session, CancellationToken.None);
            session.Result(
                ("model", model), ("best", result.BestRun.Trial.ToString()), ("metric", result.Metric), ("value", result.BestRun.Trial.Metric),
                ("accuracy on images held out", accuracy.OfImages), ("held out but unreadable", accuracy.Unreadable > 0 ? accuracy.Unreadable : null), ("trials", result.Runs.Count), ("stopped because", result.StoppedBecause.ToString()),
                ("seconds", Math.Round(result.Elapsed.TotalSeconds, 1)), ("seconds of embedding", Math.Round(result.EmbeddingTime.TotalSeconds, 1)));
        }));
        return command;
    }

    private sealed class Lines(Session session) : IProgress<ExperimentTrial>
    {
        public void Report(ExperimentTrial value) =>
            session.Note(string.Create(CultureInfo.InvariantCulture, $"{value.Elapsed:mm\\:ss}  {value}"));
    }
}
