using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Monitoring;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>
/// The whole job, as a user of the library writes it: photos, masks, mask-guided DINO or MAE, distillation, an ordinary ML.NET
/// pipeline.
/// </summary>
/// <param name="ml">The context.</param>
/// <param name="photos">The images.</param>
/// <param name="recipe">Sizes and hyper-parameters.</param>
/// <param name="seed">Seed of the trainings.</param>
/// <param name="runs">Folder of the two trainings' checkpoints and metrics.</param>
/// <param name="resume">Whether they go on where they were stopped.</param>
/// <param name="cancel">Stops it.</param>
internal sealed class Job(MLContext ml, PhotoSet photos, Recipe recipe, int seed, string runs, bool resume, CancellationToken cancel) : IDisposable
{
    private const int Measures = 5;                         // of k-NN during phase 1

    // Each stage sets what the next ones need.
    private IDataView pretrain = null!, train = null!, test = null!;    // ImagePath, Label, Masks
    private PretrainedTransformer teacher = null!, student = null!;

    /// <summary>Masks of an image, on average, once segmented.</summary>
    public double MasksPerImage { get; private set; }

    /// <summary>Images that can be read, once segmented.</summary>
    public int ReadableImages { get; private set; }

    /// <summary>Images to train on that can be read, once segmented.</summary>
    public int TrainImages { get; private set; }

    /// <summary>Images held out that can be read, once segmented.</summary>
    public int TestImages { get; private set; }

    /// <summary>A row per encoder, once evaluated.</summary>
    public IReadOnlyList<EncoderScore> Scores { get; private set; } = [];

    /// <summary>Smallest and largest α over layers and heads, once pretrained.</summary>
    public (double Smallest, double Largest)? Alpha { get; private set; }

    /// <summary>Finds the masks of all images; those that cannot be read play no part in anything later.</summary>
    /// <param name="progress">Receives the number of images done.</param>
    /// <exception cref="InvalidOperationException">Fewer than two images can be read.</exception>
    public void Segment(IProgress<int> progress)
    {
        (pretrain, test) = (WithMasks([.. photos.Train, .. photos.Extra]), WithMasks(photos.Test));
        bool mixed = photos.HasLabels && photos.Extra.Count > 0;
        train = !mixed ? pretrain : ml.Data.FilterByCustomPredicate<MaskedPhoto>(pretrain, photo => photo.Label.Length == 0);
        var counts = new List<int>();
        foreach (byte[] encoded in pretrain.GetColumn<byte[]>("Masks").Concat(test.GetColumn<byte[]>("Masks")))
        {
            cancel.ThrowIfCancellationRequested();
            counts.Add(MaskSet.Decode(encoded).Count);
            progress.Report(counts.Count);
        }
        (TrainImages, TestImages) = (train.GetColumn<string>("ImagePath").Count(), test.GetColumn<string>("ImagePath").Count());
        if (TrainImages < 2)
            throw new InvalidOperationException(
                $"{TrainImages} of {photos.Train.Count} images to train on can be read; pretraining needs at least 2.");
        ReadableImages = counts.Count;
        MasksPerImage = counts.Average();
    }

    /// <summary>Phase 1: DINO or MAE, with the mask-guided attention bias where the recipe uses masks.</summary>
    public void Pretrain(IProgress<TrainingProgress> progress)
    {
        teacher = recipe.Method == PretrainingMethod.Mae ? Mae(progress) : Dino(progress);
        if (!recipe.UsesMasks) return;
        float[] alphas = [.. teacher.Encoder.Model.BiasValues().SelectMany(layer => layer.Alpha ?? [])];
        Alpha = (alphas.Min(), alphas.Max());
    }

    private PretrainedTransformer Dino(IProgress<TrainingProgress> progress) =>
        ml.SelfSupervised().Dino(new DinoOptions
        {
            ImageColumnName = "ImagePath",
            MaskColumnName = Masks,
            MaskBias = new() { InitialValue = recipe.BiasStart },
            Encoder = recipe.Encoder,
            Head = recipe.Head,
            Views = recipe.Views,
            Epochs = recipe.Epochs,
            FreezeLastLayerEpochs = recipe.Epochs,              // in a short run the prototypes stay as they were drawn
            BatchSize = recipe.BatchSize,
            LearningRate = recipe.LearningRate,
            FinalWeightDecay = recipe.FinalWeightDecay,
            WarmupTeacherTemperatureEpochs = 0,
            TeacherTemperature = recipe.TeacherTemperature,
            TeacherMomentum = recipe.TeacherMomentum,
            Seed = seed,
            Output = Output("pretraining"),
            NearestNeighborMonitor = Monitor,
            Progress = progress,
            CancellationToken = cancel,
        }).Fit(pretrain);

    private MaeTransformer Mae(IProgress<TrainingProgress> progress) =>
        ml.SelfSupervised().Mae(new MaeOptions
        {
            ImageColumnName = "ImagePath",
            MaskColumnName = Masks,
            Encoder = recipe.Encoder,
            Decoder = recipe.Decoder,
            Crop = new() { MinScale = recipe.Views.GlobalMinScale, FlipProbability = recipe.Views.FlipProbability },
            Epochs = recipe.Epochs,
            BatchSize = recipe.BatchSize,
            LearningRate = recipe.LearningRate,
            Seed = seed,
            Output = Output("pretraining"),
            NearestNeighborMonitor = Monitor,
            Progress = progress,
            CancellationToken = cancel,
        }).Fit(pretrain);

    /// <summary>Phase 2: a plain student that needs no masks.</summary>
    public void Distill(IProgress<TrainingProgress> progress) =>
        student = ml.SelfSupervised().Distill(teacher, new DistillationOptions
        {
            ImageColumnName = "ImagePath",
            MaskColumnName = Masks,                             // for the teacher: the student never sees them
            Views = recipe.Views,
            Epochs = recipe.DistillEpochs,
            BatchSize = recipe.BatchSize,
            LearningRate = recipe.LearningRate,
            FinalWeightDecay = recipe.FinalWeightDecay,
            Seed = seed,
            Output = Output("distillation"),
            Progress = progress,
            CancellationToken = cancel,
        }).Fit(pretrain);

    /// <summary>Measures the random encoder, the phase-1 encoder without and with masks, and the student on the held-out images.</summary>
    public void Evaluate()
    {
        using var random = new VisionEncoder(new VisionTransformer(student.Encoder.Model.Options, seed));
        var probe = new EncoderProbe(ml, train, test, cancel);
        List<EncoderScore> scores = [probe.Measure("random encoder", random), probe.Measure("phase 1, without masks", teacher.Encoder)];
        if (recipe.UsesMasks) scores.Add(probe.Measure("phase 1, with its masks", teacher.Encoder, Masks));
        scores.Add(probe.Measure("distilled student", student.Encoder));
        Scores = scores;
    }

    /// <summary>Writes the model, the encoders, the loss curve and the pictures.</summary>
    public IReadOnlyList<(string Path, string Content)> Save(string folder) =>
        new Artifacts(ml, folder).Write(photos.HasLabels, train, SampleView(), teacher, student);

    public void Dispose()
    {
        teacher?.Dispose();                                     // null where the run stopped before
        student?.Dispose();
    }

    private RunOutputOptions Output(string phase) =>
        new() { Folder = Path.Combine(runs, phase), WhenUsed = resume ? ExistingRun.Resume : ExistingRun.Overwrite, KeepCheckpoints = 2 };

    // Follows phase 1 where there are classes: they are looked at and not learned from.
    private NearestNeighborMonitorOptions? Monitor =>
        photos.HasLabels ? new() { EveryEpochs = Math.Max(1, recipe.Epochs / Measures), MaxImages = 2000 } : null;

    // The column that guides phase 1.
    private string? Masks => recipe.UsesMasks ? "Masks" : null;

    // Segmenting is lazy: the cache computes the masks once for all that read them. An image without a set of masks cannot be read.
    private IDataView WithMasks(IReadOnlyList<Photo> rows)
    {
        var view = PhotoSet.ToDataView(ml, rows);
        var masked = ml.SelfSupervised().SegmentImages("Masks", "ImagePath").Fit(view).Transform(view);
        var cached = ml.Data.Cache(masked, "ImagePath", "Label", "Masks");
        return ml.Data.FilterByCustomPredicate<MaskedPhoto>(cached, photo => photo.Masks.Length == 0);
    }

    private IDataView SampleView() => TestImages > 0 ? test : train;
}
