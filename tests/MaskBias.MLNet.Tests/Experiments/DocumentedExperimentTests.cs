using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Experiments;
using MaskBias.MLNet.Experiments.Trees;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Tests.Docs;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Experiments;

/// <summary>The example of docs/experiments.md, as it is printed there.</summary>
public sealed class DocumentedExperimentTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public void The_example_runs()
    {
        string photos = Path.Combine(folder.Path, "photos"), checkpoint = Path.Combine(folder.Path, "encoder");
        ShapeScenes.Generate(photos, new() { ImagesPerClass = 5, Size = 32 });
        using (var encoder = new VisionEncoder(new VisionTransformer(new() { ImageSize = 32, PatchSize = 16, EmbedDim = 24, Depth = 2, Heads = 3 })))
            EncoderCheckpoint.Save(encoder, checkpoint);
        var (output, lines) = ExperimentRuns.WithTime(time =>
        {
            string into = Path.Combine(folder.Path, $"{time.TotalSeconds}");
            var writer = new StringWriter();
            var console = TextWriter.Synchronized(writer);
            Example(photos, checkpoint, into, time, console);
            return (into, (Func<string>)(() => { lock (console) return writer.ToString(); }));
        }, _ => true);
        foreach (string name in new[] { "runs.jsonl", "runs.csv", "leaderboard.svg", "labels.csv", "labels.svg", "model.zip" })
            Assert.True(new FileInfo(Path.Combine(output, name)).Length > 200, name);
        const string First = "k-NN on encoder, ClassTokenAndPatchMean (K 20, Temperature 0.07): ";
        SpinWait.SpinUntil(() => lines().Contains(First, StringComparison.Ordinal), TimeSpan.FromSeconds(30));       // progress comes on other threads
        Assert.Contains(First, lines());
    }

    [Fact]
    public void The_page_shows_this_example() =>
        DocumentedCode.AssertShown("docs/experiments.md", "tests/MaskBias.MLNet.Tests/Experiments/DocumentedExperimentTests.cs");

    public void Dispose() => folder.Dispose();

    private static void Example(string folder, string checkpoint, string output, TimeSpan time, TextWriter console)
    {
        // From here
        var ml = new MLContext(seed: 1);
        IDataView photos = ml.Data.LoadImageFolder(folder);                                 // ImagePath, Label (folder name)
        using VisionEncoder encoder = EncoderCheckpoint.Load(checkpoint);

        var settings = new ClassificationExperimentSettings
        {
            MaxTime = time, Seed = 1, RunFile = Path.Combine(output, "runs.jsonl"),         // goes on with the file where it is there
            Progress = new Progress<ExperimentTrial>(trial => console.WriteLine(trial)),
        };
        settings.AddTrees();                                                                // LightGbm, FastTree: a package of its own
        using var result = ml.SelfSupervised().CreateClassificationExperiment(settings).Execute(photos, encoder);

        console.WriteLine($"best: {result.BestRun.Trial}");
        result.WriteCsv(Path.Combine(output, "runs.csv"));
        result.WriteLeaderboard(Path.Combine(output, "leaderboard.svg"));
        ml.Model.Save(result.BestRun.Model, photos.Schema, Path.Combine(output, "model.zip"));   // ImagePath to Score and PredictedLabel

        var labels = ml.SelfSupervised().MeasureLabelEfficiency(photos, encoder);           // does pretraining pay on these photos?
        labels.WriteCsv(Path.Combine(output, "labels.csv"));
        labels.WritePlot(Path.Combine(output, "labels.svg"));
        // to here.
    }
}
