using System.Diagnostics;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Cli.Study.Results;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>Does the trainings of a study. One that is interrupted goes on from its last checkpoint.</summary>
internal sealed class Trainer(StudyContext context)
{
    private const string RunFolder = "run";

    /// <summary>Whether a training has left its encoder.</summary>
    public static bool IsDone(StudyFolder folder, Training training) =>
        File.Exists(folder.Run(training.Key)) && File.Exists(Path.Combine(folder.Encoder(training.Key), EncoderCheckpoint.WeightsFile));

    /// <summary>Trains, keeps the encoder, and writes what is known of the run.</summary>
    public void Run(Training training)
    {
        if (training.Kind == TrainingKind.FromLabels) FromLabels(training);
        else WithoutLabels(training);
    }

    private void WithoutLabels(Training training)
    {
        var options = (PretrainingOptions)training.Options;
        string folder = Path.Combine(context.Folder.Training(training.Key), RunFolder);
        // The checkpoints show α and β over time.
        options.Output = Kept(folder, options.Epochs, context.Plan.Checkpoints + 2);
        options.CancellationToken = context.Cancellation;
        var ml = context.Session.Context(training.Seed);
        var rows = Rows(ml, training);
        context.Session.Train(progress =>
        {
            options.Progress = progress;
            using var teacher = training.Teacher is { } from ? EncoderCheckpoint.Load(context.Folder.Encoder(from.Key)) : null;
            using var model = Fit(ml, options, teacher, rows);
            var bias = BiasOverTime(folder, model);
            EncoderCheckpoint.Save(model.Encoder, context.Folder.Encoder(training.Key));
            Write(training, model.Report, options.Epochs, bias);
        });
        // What is left to go on from: the encoder.
        Directory.Delete(folder, recursive: true);
    }

    private RunOutputOptions Kept(string folder, int epochs, int keep) => new()
    {
        Folder = folder, WhenUsed = ExistingRun.Resume, CheckpointEpochs = (epochs + context.Plan.Checkpoints - 1) / context.Plan.Checkpoints,
        KeepCheckpoints = keep,
    };

    private static PretrainedTransformer Fit(MLContext ml, PretrainingOptions options, VisionEncoder? teacher, IDataView rows) =>
        options switch
    {
        DinoOptions dino => ml.SelfSupervised().Dino(dino).Fit(rows),
        MaeOptions mae => ml.SelfSupervised().Mae(mae).Fit(rows),
        _ => ml.SelfSupervised().Distill(teacher!, (DistillationOptions)options).Fit(rows),
    };

    // Masks only where they are looked at: a plain run needs none.
    private IDataView Rows(MLContext ml, Training training)
    {
        if (training.Cell.Masks is null) return PhotoSet.ToDataView(ml, training.Images);
        byte[][] masks = context.Masks.Of(training.Cell, training.Images, training.Seed, context.Cancellation);
        return ml.Data.LoadFromEnumerable(training.Images.Zip(masks,
            (image, own) => new MaskedPhoto { ImagePath = image.ImagePath, Label = image.Label, Masks = own }));
    }

    private static List<BiasAtStep> BiasOverTime(string folder, PretrainedTransformer model)
    {
        if (!model.Encoder.Model.IsMaskGuided) return [];
        var bias = new List<BiasAtStep>();
        foreach (var checkpoint in RunRecord.Read(folder).Checkpoints)
        {
            using var encoder = EncoderCheckpoint.Load(checkpoint.EncoderPath);
            bias.Add(At(checkpoint.Step, encoder));
        }
        return bias;

        static BiasAtStep At(long step, VisionEncoder encoder)
        {
            var values = encoder.Model.BiasValues();
            return new(step, [.. values.Select(v => v.Alpha)], [.. values.Select(v => v.Beta)]);
        }
    }

    private void FromLabels(Training training)
    {
        var (plan, images) = (context.Plan, context.Images);
        var options = (FineTuneOptions)training.Options;
        string folder = Path.Combine(context.Folder.Training(training.Key), RunFolder);
        options.Output = Kept(folder, options.Epochs, keep: 2);
        options.CancellationToken = context.Cancellation;
        var ml = context.Session.Context(training.Seed);
        int[] known = StudyLabels.Few(images.ClassesOf(images.Train), training.Fraction, training.Seed);
        var rows = images.Keyed(ml, known.Select(i => images.Train[i]));
        long start = Stopwatch.GetTimestamp();
        context.Session.Train(progress =>
        {
            options.Progress = progress;
            using var random = new VisionEncoder(new VisionTransformer(PlanOptions.Encoder(plan), training.Seed));
            using var classifier = ml.MulticlassClassification.Trainers.FineTune(random, options).Fit(rows);
            EncoderCheckpoint.Save(classifier.Encoder, context.Folder.Encoder(training.Key));
            int[] predicted = Predict(ml, images, classifier);
            string group = StudyMeasure.Name(StudyMeasureKind.FineTune, training.Fraction);
            new MeasureResult
            {
                Key = training.Key, Cell = training.Cell.Name, Seed = training.Seed, Run = training.Key,
                Predictions = new Dictionary<string, int[]> { [group] = predicted }, Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds,
                Device = classifier.Report.Run.Device,
            }.Write(context.Folder.Measured(training.Cell.Slug, training.Seed, Report.Page.SafeText.Slug(group)));
            Write(training, classifier.Report.Run, options.Epochs, []);
        });
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The class that a classifier gives each test image.</summary>
    public static int[] Predict(MLContext ml, StudyImages images, ITransformer classifier) =>
        Predict(classifier, images.Keyed(ml, images.Test));

    /// <summary>The class that a classifier gives each row.</summary>
    public static int[] Predict(ITransformer classifier, IDataView rows) =>
        [.. classifier.Transform(rows).GetColumn<uint>("PredictedLabel").Select(key => (int)key - 1)];

    private void Write(Training training, TrainingReport report, int epochs, IReadOnlyList<BiasAtStep> bias)
    {
        long steps = (long)epochs * report.StepsPerEpoch, done = steps - report.ResumedSteps;
        new RunResult
        {
            Key = training.Key, Cell = training.Cell.Name, Phase = report.Phase, Seed = training.Seed, Teacher = training.Teacher?.Key,
            Images = report.Images,
            Epochs = epochs, Steps = steps, BatchSize = report.BatchSize, LearningRate = report.LearningRate,
            Losses = [.. report.Losses.Chunk(Math.Max(1, report.StepsPerEpoch)).Select(epoch => Math.Round(epoch.Average(), 5))],
            Seconds = Math.Round(report.Elapsed.TotalSeconds, 2),
            ImagesPerSecond = report.Elapsed > TimeSpan.Zero ? Math.Round(done * report.BatchSize / report.Elapsed.TotalSeconds, 1) : 0,
            ResumedSteps = report.ResumedSteps, Device = report.Device, Processes = context.Processes,
            Options = PlanOptions.Values(training.Options).ToDictionary(o => o.Name, o => o.Value), Adjustments = report.Adjustments,
            Warnings = report.Warnings, Bias = bias,
        }.Write(context.Folder.Run(training.Key));
    }
}
