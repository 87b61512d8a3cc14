using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Weights;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Training.Output;

/// <summary>Reading back what a run has left.</summary>
public sealed class RunRecordTests(SceneFolder scenes) : IClassFixture<SceneFolder>, IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public void Configuration_metrics_and_checkpoints_are_read()
    {
        Assert.False(RunRecord.Exists(folder.Path));
        Assert.Contains("run.json", Assert.Throws<FileNotFoundException>(() => RunRecord.Read(folder.Path)).Message);
        var ml = new MLContext(1);
        var options = TinyTraining.Dino().With(o => (o.Epochs, o.TeacherTemperature, o.Output.Folder) = (3, 0.05, folder.Path));
        using var model = ml.SelfSupervised().Dino(options).Fit(scenes.Load(ml));

        Assert.True(RunRecord.Exists(folder.Path));
        var run = RunRecord.Read(folder.Path);
        Assert.Equal(("DINO", 3, "24", "6"), (run.Phase, run.Seed, run.Options["Encoder.EmbedDim"], run.Resolved["steps"]));
        Assert.NotEmpty(run.Library);
        Assert.Contains(run.Adjustments, a => a.StartsWith("WarmupEpochs", StringComparison.Ordinal));
        Assert.Equal([2L, 4, 6], run.Checkpoints.Select(c => c.Step));
        using var encoder = EncoderCheckpoint.Load(run.Checkpoints[^1].EncoderPath);
        TinyTraining.AssertSame(TinyTraining.Weights(model.Encoder), TinyTraining.Weights(encoder));

        File.AppendAllText(Path.Combine(folder.Path, "metrics.jsonl"), "{\"step\":7,\"epoch\":4,\"loss\":null,\"note\":\"x\"}\n[1]\n{\"step\":\"8\"}\n{\"st");
        var metrics = run.ReadMetrics().ToList();
        Assert.Equal(Enumerable.Range(1, 7), metrics.Select(m => (int)m.Step));
        Assert.Equal([1, 1, 2, 2, 3, 3, 4], metrics.Select(m => m.Epoch));
        Assert.Equal(model.Report.Losses, metrics.Take(6).Select(m => m.Values["loss"]));
        Assert.All(metrics.Take(6), m => Assert.Equal(0.05, m.Values["teacherTemperature"], 2));
        Assert.Equal(["loss"], metrics[6].Values.Keys);
        Assert.True(double.IsNaN(metrics[6].Values["loss"]));
    }

    public void Dispose() => folder.Dispose();
}
