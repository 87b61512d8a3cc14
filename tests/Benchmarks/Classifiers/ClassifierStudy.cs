using System.Diagnostics;
using System.Globalization;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.FineTuning.SemiSupervised;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Benchmarks.Classifiers;

/// <summary>
/// What an encoder is worth beside one with random weights: every way to a classifier, on all labels, a tenth and a hundredth of them
/// (at least one per class), measured on images held out. Prints a table in Markdown.
/// </summary>
internal sealed class ClassifierStudy
{
    public const string Usage = """
        Usage: dotnet run -c Release --project tests/Benchmarks -- classifiers TRAIN TEST ENCODER [SUBSETS [features]]

          TRAIN, TEST   folders with a folder of images per class
          ENCODER       a saved encoder, such as the folder encoder that the Quickstart writes
          SUBSETS       draws of the few labels that each figure is the mean of (default: 2)
          features      leaves out what trains the encoder: minutes instead of an hour
        """;

    private const double Tenth = 0.1, Hundredth = 0.01;
    private const int BatchSize = 64, Neighbours = 20;

    // Of labelled images over all epochs: enough to converge, few enough for minutes on two cores.
    private const int Visits = 27_000, FewShotEpochs = 60, UnlabelledEpochs = 8;

    private readonly MLContext ml = new(seed: 1);
    private readonly IDataView train, test;
    private readonly int subsets;
    private readonly TextWriter output;
    private readonly string folder;
    private bool featuresOnly;
    private readonly Stopwatch clock = Stopwatch.StartNew();

    private ClassifierStudy(string trainFolder, string testFolder, int subsets, TextWriter output, string folder)
    {
        (this.subsets, this.output, this.folder) = (subsets, output, folder);
        IDataView training = ml.Data.LoadImageFolder(trainFolder), testing = ml.Data.LoadImageFolder(testFolder);
        var keys = ml.Transforms.Conversion.MapValueToKey("Label").Fit(training);
        (train, test) = (ml.Data.Cache(keys.Transform(training)), ml.Data.Cache(keys.Transform(testing)));
    }

    /// <summary>Runs it as the command line says.</summary>
    /// <returns>The exit code.</returns>
    public static int Run(IReadOnlyList<string> arguments, TextWriter output)
    {
        int subsets = 2;
        if (arguments.Count is < 3 or > 5 || (arguments.Count == 5 && arguments[4] != "features") || (arguments.Count > 3 && (!int.TryParse(arguments[3], out subsets) || subsets < 1)))
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }
        string folder = Directory.CreateTempSubdirectory("maskbias-classifiers-").FullName;
        try
        {
            using var trained = EncoderCheckpoint.Load(arguments[2]);
            using var random = new VisionEncoder(new VisionTransformer(trained.Model.Options, seed: 1));
            var study = new ClassifierStudy(arguments[0], arguments[1], subsets, output, folder) { featuresOnly = arguments.Count == 5 };
            study.Print(study.Measure("self-supervised", trained, layerDecay: 0.75), study.Measure("random", random, layerDecay: 1));
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Few labels are drawn once per subset and serve every way; a file of their rows hands them on.
    private List<(string Way, double[] Accuracies)> Measure(string name, VisionEncoder encoder, double layerDecay)
    {
        var embed = ml.SelfSupervised().EmbedImages(encoder, new ImageEmbeddingOptions { InputColumnName = "ImagePath", OutputColumnName = "Features" }).Fit(train);
        IDataView features = ml.Data.Cache(embed.Transform(train)), heldOut = ml.Data.Cache(embed.Transform(test));
        var results = new List<(string, double[])>();
        void Add(string way, IEnumerable<double> accuracies)
        {
            double[] values = [.. accuracies];
            results.Add((way, values));
            Console.Error.WriteLine(FormattableString.Invariant(
                $"{clock.Elapsed:h\\:mm\\:ss} {name}, {way}: {string.Join(' ', values.Select(v => v.ToString("0.0%", CultureInfo.InvariantCulture)))}"));
        }

        foreach (var (share, labels) in new[] { (1.0, "all"), (Tenth, "10%"), (Hundredth, "1%") })
        {
            int draws = share == 1 ? 1 : subsets;
            if (!featuresOnly) Add($"fine-tuned|{labels}", Enumerable.Range(1, draws).Select(draw => FineTune(encoder, share, draw, layerDecay)));
            var rows = Enumerable.Range(1, draws).Select(draw => share == 1 ? features : Only(features, Rows(share, draw))).ToList();
            if (share == Tenth && !featuresOnly)
                Add($"semi-supervised|{labels}", Enumerable.Range(1, draws).Select(draw => SemiSupervised(encoder, share, draw, layerDecay)));
            Add($"linear probe|{labels}", rows.Select(few => Accuracy(ml.MulticlassClassification.Trainers.LinearProbe(Probe()).Fit(few), heldOut)));
            Add($"LbfgsMaximumEntropy|{labels}", rows.Select(few => Accuracy(
                ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.1f).Fit(few), heldOut)));
            Add($"k-NN, k = {Neighbours}|{labels}", rows.Select(few => Accuracy(ml.SelfSupervised().NearestNeighbors("Label", "Features", Neighbours).Fit(few), heldOut)));
        }
        return results;
    }

    // Those that fine-tuning draws by the same options and seed.
    private long[] Rows(double share, int draw) => LabelledRows.Choose(
        [.. train.GetColumn<uint>("Label").Select(l => (int)l - 1)], FineTuneOptions.FewShot(share), draw);

    private double FineTune(VisionEncoder encoder, double share, int draw, double layerDecay)
    {
        using var classifier = ml.MulticlassClassification.Trainers.FineTune(encoder, Supervised(share, draw, layerDecay)).Fit(train);
        return Accuracy(classifier, test);
    }

    private double SemiSupervised(VisionEncoder encoder, double share, int draw, double layerDecay)
    {
        var options = share < 0.05 ? SemiSupervisedOptions.Percent1() : SemiSupervisedOptions.Percent10();
        (options.Supervised, options.Epochs, options.BatchSize) = (Supervised(share, draw, layerDecay), UnlabelledEpochs, BatchSize / 4);
        using var classifier = ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options).Fit(train);
        return Accuracy(classifier, test);
    }

    // The presets, but for what a small encoder and a short run need: a higher learning rate, smaller batches, fewer epochs, and images that are
    // neither mixed nor erased, which takes long runs to pay.
    private FineTuneOptions Supervised(double share, int draw, double layerDecay)
    {
        var options = share == 1 ? FineTuneOptions.Mae() : FineTuneOptions.FewShot(share);
        (options.LearningRate, options.BatchSize, options.LayerDecay) = (4e-3, BatchSize, layerDecay);
        options.Epochs = share == 1 ? Math.Max(1, Visits / (int)train.GetRowCount()!.Value) : FewShotEpochs;
        (options.Mixup, options.Cutmix, options.RandomErasing, options.RandAugmentMagnitude, options.DropPath) = (0, 0, 0, 3, 0);
        (options.Crop.MinScale, options.Seed) = (0.35, draw);
        if (share < 1) options.LabelSubsetPath = SubsetPath(share, draw);
        return options;
    }

    private static LinearProbeOptions Probe()
    {
        var options = LinearProbeOptions.Sweep();
        options.Seed = 1;
        return options;
    }

    private string SubsetPath(double share, int draw) => Path.Combine(folder, FormattableString.Invariant($"{share}-{draw}.txt"));

    private double Accuracy(ITransformer classifier, IDataView data) =>
        ml.MulticlassClassification.Evaluate(classifier.Transform(data)).MicroAccuracy;

    private IDataView Only(IDataView data, IEnumerable<long> rows)
    {
        var wanted = rows.ToHashSet();
        long row = -1;
        var (features, labels) = (data.GetColumn<float[]>("Features"), data.GetColumn<uint>("Label"));
        var kept = features.Zip(labels, (f, l) => new Row { Features = f, Label = l - 1 }).Where(_ => wanted.Contains(++row)).ToList();
        var shape = SchemaDefinition.Create(typeof(Row));
        shape["Features"].ColumnType = data.Schema["Features"].Type;
        shape["Label"].ColumnType = data.Schema["Label"].Type;
        shape["Label"].ColumnType = data.Schema["Label"].Type;
        return ml.Data.LoadFromEnumerable(kept, shape);
    }

    private void Print(List<(string Way, double[] Accuracies)> trained, List<(string Way, double[] Accuracies)> random)
    {
        output.WriteLine("| classifier | labels | self-supervised | random |\n|---|---|---|---|");
        foreach (var (one, other) in trained.Zip(random))
            output.WriteLine($"| {one.Way.Replace("|", " | ", StringComparison.Ordinal)} | {Text(one.Accuracies)} | {Text(other.Accuracies)} |");
        output.WriteLine(FormattableString.Invariant($"\nMeans of {subsets} draws of the few labels, ± their standard deviation; {clock.Elapsed.TotalMinutes:0} minutes."));
    }

    private static string Text(double[] values)
    {
        double mean = values.Average();
        if (values.Length == 1) return mean.ToString("0.0%", CultureInfo.InvariantCulture);
        double deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1));
        return string.Create(CultureInfo.InvariantCulture, $"{100 * mean:0.0} ± {100 * deviation:0.0}%");
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        // From 0, as ML.NET takes keys from objects; in its columns they count from 1.
        [KeyType(1)]
        public uint Label { get; set; }
    }
}
