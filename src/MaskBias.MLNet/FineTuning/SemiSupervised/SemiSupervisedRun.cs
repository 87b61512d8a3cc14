using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.FineTuning.SemiSupervised;

/// <summary>One semi-supervised training: the supervised stage, then student and teacher from where it ended.</summary>
internal sealed class SemiSupervisedRun : IDisposable
{
    private const string Phase = "Semi-supervised", SupervisedFolder = "supervised";

    private readonly IHost host;
    private readonly SemiSupervisedOptions options;
    private readonly LabelColumn label;
    private readonly FineTuneRun firstStage;
    private readonly RunFolder? folder;
    private readonly int seed;

    public SemiSupervisedRun(IHostEnvironment environment, MLContext context, SemiSupervisedOptions options, LabelColumn label)
    {
        (host, this.options, this.label) = (environment.Register(Phase), options.Copy(), label);
        folder = RunFolder.Open(options.Output);
        try
        {
            if (folder is not null)
            {
                var part = this.options.Supervised.Output = this.options.Output.Copy();
                part.Folder = Path.Combine(folder.Path, SupervisedFolder);
            }
            this.options.Supervised.Seed ??= folder?.Earlier?.Seed;
            firstStage = new(environment, context, this.options.Supervised, label, host.Rand);
        }
        catch
        {
            folder?.Dispose();
            throw;
        }
        this.options.Supervised.Seed = seed = firstStage.Seed;          // both stages draw the same rows
    }

    /// <summary>Gives the output folders back.</summary>
    public void Dispose()
    {
        firstStage.Dispose();
        folder?.Dispose();
    }

    /// <summary>Trains a copy of the encoder and a head on all rows.</summary>
    public (VisionEncoder Encoder, LinearClassifier Linear, ClassifierReport Report) Train(IDataView data, VisionEncoder start)
    {
        int[] classes = VisibleClasses(data);
        folder?.MakeRoom();                             // of a run that is overwritten nothing is left to go on with
        var (encoder, linear, before) = firstStage.Train(data, start);
        FineTuneModel? student = null, teacher = null;
        try
        {
            using (encoder)
            {
                student = firstStage.NewModel(encoder, options.Supervised.DropPath);
                teacher = firstStage.NewModel(encoder, dropPath: 0);
            }
            student.TakeHead(linear);
            var kept = new VisionEncoder(teacher.Backbone, normalization: start.Normalization);
            using var log = new RunLog(host, options.Supervised.Logger);
            using var precision = new MatrixPrecision(options.Supervised.Precision, teacher.Head.weight!.device);
            var report = Train(data, classes, student, teacher, kept, start, log) with { SupervisedStage = before };
            kept.Evaluate();
            kept.ComputeType = null;
            linear = teacher.Classifier();
            teacher.Head.Dispose();
            student.Dispose();
            return (kept, linear, report);
        }
        catch
        {
            student?.Dispose();
            teacher?.Dispose();
            throw;
        }
    }

    private ClassifierReport Train(
        IDataView data, int[] classesOfRows, FineTuneModel student, FineTuneModel teacher, VisionEncoder normalizer, VisionEncoder start,
        RunLog log)
    {
        var recipe = options.Supervised.Copy();
        (recipe.Epochs, recipe.LearningRate) = (options.Epochs, options.LearningRate ?? recipe.LearningRate);
        var (views, pairs) = (recipe.Crop.AsViews(), recipe.Crop.AsViews());
        pairs.GlobalViews = 2;                          // weak and strong
        var sizes = ViewSizes.For(views, normalizer.Model.Options);
        var loading = recipe.Loading();
        using var store = ImageStore.Load(data, loading, sizes.KeptSide, log.Warn);
        store.WarnOfTurned(log.Warn);
        int[] classes = [.. Enumerable.Range(0, store.Count).Select(i => classesOfRows[store[i].Row])];
        CheckRows(classes);
        var (kept, heldOut) = StratifiedSplit.HoldOut(classes, recipe.ValidationFraction, seed);
        int[] unlabelled = [.. Enumerable.Range(0, store.Count).Where(i => classes[i] < 0)];

        var limits = new RunLimits(options.Epochs);
        int batch = limits.Batch(options.BatchSize, kept.Length).Batch;
        int beside = UnlabelledBatch(batch, unlabelled.Length, limits);
        var known = new ViewLoader(store, loading, sizes, normalizer, batch, parts: 1, seed, log.Warn, kept);
        var twice = sizes with { Options = pairs };
        var unknown = new ViewLoader(store, loading, twice, normalizer, beside, parts: 1, seed, log.Warn, unlabelled);
        var plain = new PlainViews(store, normalizer);
        var plan = FineTuneRun.Plan(Phase, recipe, batch, unknown.StepsPerEpoch, limits, out long warmup);
        recipe.EmaMomentum = limits.Momentum(nameof(options.TeacherMomentum), options.TeacherMomentum, plan.Steps);

        using var weights = ClassLabels.Weights(recipe.ClassWeighting, [.. kept.Select(i => classes[i])], label.Count, normalizer.Device);
        var supervised = new FineTuneMethod(recipe, student, teacher, normalizer, classes, label.Count, weights, seed);
        var method = new SemiSupervisedMethod(options, supervised, student, teacher);
        string device = recipe.Device.Resolve().Reason;
        foreach (string adjustment in limits.Adjustments) log.Info(adjustment);
        log.Info(ClassifierReport.Recipe(Phase, kept.Length, label.Count, heldOut.Length, plan, warmup, [recipe.LearningRate], [recipe.WeightDecay], device));
        log.Info($"{Phase}: {unlabelled.Length} images without a class besides, {beside} per step.");
        var description = folder is null ? null
            : plan.Describe(seed, options, FineTuneRun.StartingPoint(start, classes, label), store, limits.Adjustments, device);
        using var recorder = folder is null ? null : new RunRecorder(folder, options.Output, normalizer, plan);
        var training = new BestEpochTraining<SemiSupervisedBatch>
        {
            Plan = plan, Method = method, Optimizer = () => FineTuneRun.Optimizer(student, recipe), Evaluated = teacher, MustBeatStart = true,
            Evaluate = heldOut.Length == 0 ? null : () => supervised.Evaluate(plain.Batches(heldOut)), Log = log, Patience = recipe.Patience,
            Progress = recipe.Progress,
            Recorder = recorder, Description = description,
        };
        var result = training.Run(
            next => Batches(known, unknown, next.Epoch, (int)(next.Step % plan.StepsPerEpoch)), recipe.CancellationToken);
        return new()
        {
            Classes = label.Count, ValidationRows = heldOut.Length, WarmupSteps = warmup, Epochs = result.Epochs,
            BestEpoch = result.BestEpoch, BaseLearningRate = recipe.LearningRate, WeightDecay = recipe.WeightDecay, UnlabelledRows = unlabelled.Length,
            Run = new()
            {
                Phase = Phase, Losses = result.Losses, StepsPerEpoch = plan.StepsPerEpoch, BatchSize = batch, AccumulationSteps = 1,
                Images = kept.Length, SkippedRows = store.Skipped, LearningRate = plan.LearningRate.Peak, Adjustments = limits.Adjustments,
                Device = device, Elapsed = result.Elapsed, ResumedSteps = result.ResumedSteps, Checkpoint = recorder?.LastCheckpoint,
                Warnings = log.Warnings,
            },
        };
    }

    // The class of every row; −1 where there is none, or where the few-shot subset hides it.
    private int[] VisibleClasses(IDataView data)
    {
        int[] classes = ClassLabels.Read(data, label);
        ClassLabels.Check([.. classes.Where(c => c >= 0)], label);
        var rows = LabelledRows.Choose(classes, options.Supervised, seed).ToHashSet();
        for (int i = 0; i < classes.Length; i++) classes[i] = rows.Contains(i) ? classes[i] : -1;
        CheckRows(classes);
        return classes;
    }

    private void CheckRows(int[] classes)
    {
        int[] labelled = [.. classes.Where(c => c >= 0)];
        ClassLabels.Check(labelled, label);
        if (labelled.Length < classes.Length) return;
        throw new ArgumentException($"Every row with a usable image has a class in column '{label.Name}', and semi-supervised training "
            + "learns from rows without one as well: use FineTune, or add rows whose class is missing.");
    }

    // Images are mixed in pairs: an even number, but for a single image.
    private int UnlabelledBatch(int labelled, int images, RunLimits limits)
    {
        int wanted = labelled * options.UnlabelledPerLabelled, possible = Math.Min(wanted, images);
        if (possible < wanted) limits.Note($"A step has {possible} unlabelled images, not {wanted}: there are {images}.");
        if (possible == 1 || possible % 2 == 0) return possible;
        limits.Note($"A step has {possible - 1} unlabelled images, not {possible}: they are mixed in pairs.");
        return possible - 1;
    }

    // An epoch of the unlabelled images from a step on, and as many of the labelled ones as it takes.
    private IEnumerable<SemiSupervisedBatch> Batches(ViewLoader labelled, ViewLoader unlabelled, int epoch, int from)
    {
        int ofPass = labelled.StepsPerEpoch, passes = (unlabelled.StepsPerEpoch + ofPass - 1) / ofPass, first = from / ofPass;
        var token = options.Supervised.CancellationToken;
        using var known = Enumerable.Range(first, passes - first)
            .SelectMany(pass => labelled.Epoch(epoch * passes + pass, token, pass == first ? from % ofPass : 0)).GetEnumerator();
        foreach (var unknown in unlabelled.Epoch(epoch, token, from))
        {
            try
            {
                known.MoveNext();
            }
            catch
            {
                unknown.Dispose();
                throw;
            }
            yield return new(known.Current, unknown);
        }
    }
}
