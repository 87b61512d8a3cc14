using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Samples.Cli.Report;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training.Monitoring;
using MaskBias.MLNet.Weights;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Samples.Report;

/// <summary>What the Quickstart leaves, in miniature: a mask-guided DINO run and its distillation on generated scenes.</summary>
public sealed class ReportRun : IDisposable
{
    private readonly TempFolder folder = new();

    public ReportRun()
    {
        ShapeScenes.Generate(Images, new() { Size = 32, ImagesPerClass = 4 });
        var ml = new MLContext(1);
        var photos = ml.Data.LoadImageFolder(Images);
        var masked = ml.SelfSupervised().SegmentImages().Fit(photos).Transform(photos);
        var options = TinyTraining.MaskedDino();
        (options.Epochs, options.BatchSize, options.Output.Folder) = (3, 20, Pretraining);
        options.NearestNeighborMonitor = new NearestNeighborMonitorOptions { EveryEpochs = 1 };
        using var teacher = ml.SelfSupervised().Dino(options).Fit(masked);
        var distillation = TinyTraining.Distillation();
        (distillation.MaskColumnName, distillation.BatchSize) = ("Masks", 20);
        distillation.Output.Folder = Path.Combine(Folder, "runs", "distillation");
        using var student = ml.SelfSupervised().Distill(teacher, distillation).Fit(masked);
        EncoderCheckpoint.Save(student.Encoder, Path.Combine(Folder, "encoder"));
        EncoderCheckpoint.Save(teacher.Encoder, Path.Combine(Folder, "teacher"));
    }

    /// <summary>Forty scenes of ten classes.</summary>
    public string Images => Path.Combine(folder.Path, "scenes");

    /// <summary>The results.</summary>
    public string Folder => Path.Combine(folder.Path, "results");

    /// <summary>The first of the two runs.</summary>
    public string Pretraining => Path.Combine(Folder, "runs", "pretraining");

    internal static IReadOnlyList<ReportSection> Build(ReportOptions options) => RunReport.Build(options, new Progress<string>());

    public void Dispose() => folder.Dispose();
}
