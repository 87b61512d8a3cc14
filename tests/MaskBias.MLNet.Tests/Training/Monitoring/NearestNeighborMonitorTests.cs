using System.Text.Json;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.NearestNeighbors;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Tests.Training.Output;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Monitoring;
using MaskBias.MLNet.Training.Output;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Training.Monitoring;

/// <summary>Nearest neighbours measured while an encoder is pretrained.</summary>
public sealed class NearestNeighborMonitorTests : IDisposable
{
    private const int PerClass = 5;

    private readonly MLContext ml = new(1);
    private readonly TempFolder folder = new(), output = new();
    private readonly IReadOnlyList<string> files;

    public NearestNeighborMonitorTests() => files = ShapeScenes.Generate(folder.Path, new() { Size = 32, ImagesPerClass = PerClass });

    [Fact]
    public void It_measures_when_due_and_at_the_end_and_changes_nothing()
    {
        var photos = ml.Data.LoadImageFolder(folder.Path);
        var reports = new List<TrainingProgress>();
        var options = TinyTraining.Dino().With(o => (o.Epochs, o.BatchSize, o.DropPath) = (5, 10, 0.2));
        using var plain = ml.SelfSupervised().Dino(options).Fit(photos);
        options.NearestNeighborMonitor = new() { EveryEpochs = 2 };
        (options.Progress, options.Output.Folder) = (new Each(reports.Add), output.Path);
        using var model = ml.SelfSupervised().Dino(options).Fit(photos);

        Assert.Equal(plain.Report.Losses, model.Report.Losses);
        Assert.Equal([2, 4, 5], model.Report.NearestNeighborAccuracies.Keys);
        Assert.Equal([10L, 20L, 25L], reports.Where(r => r.NearestNeighborAccuracy is not null).Select(r => r.Step));
        var lines = File.ReadLines(Path.Combine(output.Path, MetricsFile.FileName)).Select(l => JsonDocument.Parse(l).RootElement)
            .Where(l => l.TryGetProperty("k-NN accuracy", out _)).ToList();
        Assert.Equal(model.Report.NearestNeighborAccuracies.Values, lines.Select(l => l.GetProperty("k-NN accuracy").GetDouble()));
    }

    [Fact]
    public void The_last_measure_is_that_of_the_encoder_that_comes_of_it()
    {
        var photos = ml.Data.LoadImageFolder(folder.Path);
        using var model = ml.SelfSupervised().Mae(TinyTraining.Mae().With(o =>
        {
            (o.Epochs, o.BatchSize) = (4, 10);
            o.NearestNeighborMonitor = new() { K = 3, HeldOutFraction = 0.4 };
        })).Fit(photos);
        float[][] features = [.. model.Transform(photos).GetColumn<float[]>("Features")];
        int[] classes = [.. Enumerable.Range(0, files.Count).Select(i => i / PerClass)];
        var (kept, held) = StratifiedSplit.HoldOut(classes, 0.4, seed: 3);
        double expected = NearestNeighborClassifier.Accuracy(
            [.. kept.Select(i => features[i])], [.. kept.Select(i => classes[i])], [.. held.Select(i => features[i])], [.. held.Select(i => classes[i])], 3, 0.07);
        Assert.Equal(20, held.Length);
        Assert.Equal(expected, model.Report.NearestNeighborAccuracies[4], 1e-12);
    }

    [Fact]
    public void Keys_and_texts_are_the_same_and_images_without_a_class_are_learned_from_alone()
    {
        Row[] rows = [.. files.Select((path, i) => new Row { ImagePath = path, Label = i % PerClass == 0 ? "" : $"class {i / PerClass}" })];
        var texts = ml.Data.LoadFromEnumerable(rows);
        var keys = ml.Transforms.Conversion.MapValueToKey("Label").Fit(texts).Transform(texts);
        var options = TinyTraining.Distillation();
        options.NearestNeighborMonitor = new() { UseMasks = false };
        using var teacher = TinyTraining.Teacher();
        using var one = ml.SelfSupervised().Distill(teacher, options).Fit(texts);
        using var other = ml.SelfSupervised().Distill(teacher, options).Fit(keys);
        Assert.Equal(files.Count, one.Report.Images);
        Assert.Equal(one.Report.NearestNeighborAccuracies, other.Report.NearestNeighborAccuracies);
    }

    [Fact]
    public void Masks_guide_the_encoder_where_it_is_asked_for()
    {
        // One image, and its left or its right half as the mask: nothing but the mask tells the classes apart.
        byte[][] halves = [.. new[] { 0, 16 }.Select(from =>
            MaskSet.FromBitmaps(32, 32, [[.. Enumerable.Range(0, 32 * 32).Select(i => i % 32 >= from && i % 32 < from + 16)]]).Encode())];
        var masked = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(i => new Row { ImagePath = files[0], Label = $"{i % 2}", Masks = halves[i % 2] }));
        using var strong = TinyTraining.Teacher(maskGuided: true, TinyTraining.Encoder(imageSize: 32));
        double Measure(bool useMasks)
        {
            using var store = ImageStore.Load(masked, TinyTraining.MaskedDino(), 64, _ => { });
            using var log = new RunLog(Register());
            int[] classes = ClassNumbers.Read(masked, "Label");
            var options = TinyTraining.MaskedDino().With(o => o.NearestNeighborMonitor = new() { UseMasks = useMasks, K = 1 });
            var monitor = new NearestNeighborMonitor(classes, store, strong, options, seed: 1);
            return monitor.AtEndOfEpoch(new("x", 1, 1, 1, 1, 0, 0, 0, default, default), log).NearestNeighborAccuracy!.Value;
        }

        Assert.Equal(0.5, Measure(false));
        Assert.Equal(1, Measure(true));
    }

    [Fact]
    public void What_it_cannot_use_is_named_before_training()
    {
        var photos = ml.Data.LoadImageFolder(folder.Path);
        Assert.Contains("no column 'Kind'", Refusal(photos, o => o.LabelColumnName = "Kind"), StringComparison.Ordinal);
        var single = ml.Data.LoadFromEnumerable(files.Select(path => new Row { ImagePath = path, Label = "all" }));
        Assert.Contains("NearestNeighborMonitor needs two classes", Refusal(single, _ => { }), StringComparison.Ordinal);
        var numbers = ml.Transforms.Conversion.ConvertType("Label", outputKind: DataKind.Single).Fit(
            ml.Data.LoadFromEnumerable(files.Select(path => new Row { ImagePath = path, Label = "1" })));
        Assert.Contains("must be text or Key<UInt32>", Refusal(numbers.Transform(ml.Data.LoadFromEnumerable(
            files.Select(path => new Row { ImagePath = path, Label = "1" }))), _ => { }), StringComparison.Ordinal);
        string ranges = Refusal(photos, o => (o.K, o.EveryEpochs, o.UseMasks) = (0, 0, true));
        foreach (string fault in new[] { "NearestNeighborMonitor.K is 0", "NearestNeighborMonitor.EveryEpochs is 0", "UseMasks is true" })
            Assert.Contains(fault, ranges, StringComparison.Ordinal);
    }

    private string Refusal(IDataView data, Action<NearestNeighborMonitorOptions> change)
    {
        var options = TinyTraining.Dino();
        options.NearestNeighborMonitor = new NearestNeighborMonitorOptions().With(change);
        return Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Dino(options).Fit(data).Dispose()).Message;
    }

    private Microsoft.ML.Runtime.IHost Register() => ((Microsoft.ML.Runtime.IHostEnvironment)ml).Register("test");

    public void Dispose()
    {
        folder.Dispose();
        output.Dispose();
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string Label { get; set; } = "";

        public byte[] Masks { get; set; } = [];
    }
}
