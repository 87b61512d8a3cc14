using System.CommandLine;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.FineTuning.SemiSupervised;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Samples.Cli.Inputs;
using MaskBias.MLNet.Samples.Cli.Options;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Samples.Pictures;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias probe|finetune|semi CHECKPOINT --images DIR --output model.zip</c>: classifiers as ML.NET models.</summary>
internal static class ClassifierCommands
{
    // The preset for small encoders, where there is one.
    private const string Small = "small";

    // Labels, before it is known how many there are: they decide the epochs alone.
    private const int Any = 1;

    private static readonly string[] Owned =
    [
        "ImageColumnName", "LabelColumnName", "MaskColumnName", "FeatureColumnName", "Supervised.ImageColumnName", "Supervised.LabelColumnName",
        "Output", "Supervised.Output",
    ];

    public static Command Probe() => Create<LinearProbeOptions>(
        "probe", "Trains a linear layer on an encoder that stays as it is.", takesExtra: false,
        new() { ["sweep"] = LinearProbeOptions.Sweep, ["dino"] = LinearProbeOptions.Dino, ["mae"] = LinearProbeOptions.Mae },
        options => options, tuned: null,
        (ml, encoder, options) => ml.MulticlassClassification.Trainers.LinearProbe(encoder, options));

    public static Command FineTune() => Create<FineTuneOptions>(
        "finetune", "Trains an encoder and a linear layer on labelled images.", takesExtra: false,
        new()
        {
            ["dino"] = FineTuneOptions.Dino, ["mae"] = FineTuneOptions.Mae, ["few-shot-1"] = () => FewShot(0.01),
            ["few-shot-10"] = () => FewShot(0.1), [Small] = () => FineTuneOptions.SmallEncoder(Any),
        },
        options => options, tuned: options => (options, options.Output, ""),
        (ml, encoder, options) => ml.MulticlassClassification.Trainers.FineTune(encoder, options));

    public static Command SemiSupervised() => Create<SemiSupervisedOptions>(
        "semi", "Trains an encoder and a linear layer on few labelled images and many without labels (--extra).", takesExtra: true,
        new() { ["10-percent"] = SemiSupervisedOptions.Percent10, ["1-percent"] = SemiSupervisedOptions.Percent1, [Small] = () => SemiSupervisedOptions.SmallEncoder(Any) },
        options => options.Supervised, tuned: options => (options.Supervised, options.Output, "Supervised."),
        (ml, encoder, options) => ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options));

    private static Command Create<TOptions>(
        string name, string description, bool takesExtra, Dictionary<string, Func<TOptions>> presets,
        Func<TOptions, SupervisedOptions> supervised,
        Func<TOptions, (FineTuneOptions Recipe, RunOutputOptions Output, string Prefix)>? tuned,
        Func<MLContext, VisionEncoder, TOptions, IEstimator<ImageClassifier>> trainer)
        where TOptions : class, new()
    {
        var command = new ExampleCommand(name, description,
            $"{name} run/encoder --images photos --output model.zip",
            $"{name} random --images photos --output baseline.zip");
        var checkpoint = new CheckpointInput(command, computes: typeof(TOptions) == typeof(LinearProbeOptions), takesRandom: true);
        var photos = new PhotoInput(command, needsLabels: true, takesExtra);
        var output = new Option<string>("--output") { Description = "The ML.NET model to write.", Required = true, HelpName = "file" };
        var preset = new Option<string?>("--preset")
        {
            Description = $"The recipe that the options start from: {string.Join(", ", presets.Keys)}. [{presets.Keys.First()}"
                + $"{(presets.ContainsKey(Small) ? $"; {Small} for an encoder no more than {SizedDefaults.Narrow} wide" : "")}]",
            HelpName = "name",
        };
        preset.AcceptOnlyFromAmong([.. presets.Keys]);
        var run = new Option<string?>("--run")
        {
            Description = "Folder that keeps checkpoints and metrics, so that an interrupted training can go on.", HelpName = "folder",
        };
        command.Add(output);
        if (tuned is not null) command.Add(run);
        var existing = tuned is null ? null : new ExistingRunInput(command);
        command.Add(preset);
        var tree = new OptionTree<TOptions>(command, Owned);
        var json = Session.JsonOption();
        command.Add(json);
        command.SetAction(parsed => Session.Run(parsed, json, session =>
        {
            string file = ModelPath(parsed.GetValue(output)!);
            bool spansRanks = typeof(TOptions).IsAssignableTo(typeof(SupervisedOptions));
            if (!spansRanks && Session.Distributed != DistributedTraining.None)
                throw new UsageException($"{name} trains in one process: start it without mpirun or srun.");
            using var encoder = checkpoint.Load(parsed);
            string recipe = parsed.GetValue(preset)
                ?? (presets.ContainsKey(Small) && SizedDefaults.IsNarrow(encoder.Model.Options) ? Small : presets.Keys.First());
            var options = presets[recipe]();
            if (spansRanks) supervised(options).Distributed = Session.Distributed;
            tree.Apply(parsed, options);
            if (tuned?.Invoke(options) is { } parts)
            {
                existing!.Apply(parsed, parsed.GetValue(run), parts.Output);
                if (!tree.IsGiven(parsed, parts.Prefix + nameof(FineTuneOptions.Precision))) parts.Recipe.Precision = SizedDefaults.Precision(parts.Recipe.Device);
            }
            supervised(options).CancellationToken = session.Token;
            int seed = supervised(options).Seed ?? 1;
            var ml = session.Context(seed);
            var found = photos.Load(session, parsed, seed);
            if (recipe == Small && tuned?.Invoke(options) is { } small && !tree.IsGiven(parsed, small.Prefix + nameof(FineTuneOptions.Epochs)))
                small.Recipe.Epochs = FineTuneOptions.SmallEncoder(Labels(small.Recipe, found.Train.Count)).Epochs;
            var (train, _) = PhotoInput.Keyed(ml, found);
            _ = UsageException.Checked(() => trainer(ml, encoder, options));
            session.Resolved(tree.Values(options), $"The recipe is {recipe} (--preset).");
            ClassifierReport? report = null;
            session.Train(progress =>
            {
                supervised(options).Progress = progress;
                using var classifier = trainer(ml, encoder, options).Fit(train);
                if (!Session.IsRoot) return;
                report = classifier.Report;
                Save(ml, classifier, train, file);
            });
            if (report is null) return;
            int top = Math.Min(5, found.Classes.Count);
            // What was saved is measured, as `predict` sees images: upright, as they were learned from.
            using var saved = new SavedClassifier(file, upright: true);
            SavedClassifier.Accuracy? accuracy = null;
            try
            {
                accuracy = saved.Measure(found.Test, top, session, session.Token);
            }
            catch (OperationCanceledException)
            {
                session.Note("Stopped while it was measured; the model is complete.");
            }
            session.Result(
                ("model", file), ("trained on", report.Run.Images), ("held out", accuracy?.Images),
                ("held out but unreadable", accuracy?.Unreadable > 0 ? accuracy.Unreadable : null),
                ("accuracy", accuracy?.OfImages), ("mean accuracy per class", accuracy?.OfClasses),
                ($"top-{top} accuracy", accuracy?.Top), ("report", report.ToString()));
        }));
        return command;
    }

    // Found out before hours of training, not after.
    private static string ModelPath(string output)
    {
        if (!Path.GetExtension(output).Equals(".zip", StringComparison.OrdinalIgnoreCase) || Directory.Exists(output))
            throw new UsageException($"--output is '{output}'; it must be a file that ends in .zip.");
        if (Session.IsRoot) WholeFile.CheckWritable(output);
        return output;
    }

    private static int Labels(FineTuneOptions recipe, int all) => Math.Max(1, recipe.LabelSubsetPath is { } rows && File.Exists(rows)
        ? LabelSubset.Read(rows).Count : (int)(all * recipe.LabelFraction));

    // For few labels, on all that there are.
    private static FineTuneOptions FewShot(double share)
    {
        var options = FineTuneOptions.FewShot(share);
        options.LabelFraction = 1;
        return options;
    }

    // The labels' keys belong to training: the model maps ImagePath to Score and the class's name.
    private static void Save(MLContext ml, ImageClassifier classifier, IDataView train, string path)
    {
        var names = ml.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(classifier.Transform(train));
        var input = ml.Transforms.SelectColumns("ImagePath").Fit(train).Transform(train);
        WholeFile.Write(path, stream => ml.Model.Save(new TransformerChain<ITransformer>(classifier, names), input.Schema, stream));
    }
}
