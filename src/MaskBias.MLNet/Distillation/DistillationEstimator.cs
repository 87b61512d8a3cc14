using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Distillation;

/// <summary>Distils an encoder, mask-guided or not, into a plain vision transformer that takes no masks. Labels are not used.</summary>
/// <remarks>
/// A teacher with a projection head (DINO) teaches its distribution over the prototypes (Eq. 4). One without (MAE) teaches its normalised
/// class and patch features; teacher and student then see the same global views, and local ones play no part.
/// </remarks>
public sealed class DistillationEstimator : IEstimator<PretrainedTransformer>
{
    private readonly MLContext context;
    private readonly VisionEncoder teacher;
    private readonly DistillationOptions options;
    private readonly VitOptions architecture;

    internal DistillationEstimator(MLContext context, VisionEncoder teacher, DistillationOptions options)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        (this.context, this.teacher) = (context, teacher);
        this.options = OptionsValidator.Validate(options).Copy();
        if (options.MaskColumnName is not null && !teacher.Model.IsMaskGuided)
            throw new ArgumentException($"MaskColumnName is \"{options.MaskColumnName}\"; the teacher has no mask-guided attention bias, so it must be null.", nameof(options));
        architecture = (options.Student ?? teacher.Model.Options).WithoutMaskBias();
        architecture.DropPath = options.DropPath;
        if (teacher.Head is null) architecture.Pooling = teacher.Model.Options.Pooling;         // its features are what is learned
        if (options.StudentInit == StudentInit.Teacher && !SameSize)
            throw new ArgumentException("StudentInit is Teacher; that needs a Student of the teacher's sizes. Use Fresh or Auto.", nameof(options));
        if (teacher.Head is null && architecture.PatchSize != teacher.Model.Options.PatchSize)
        {
            throw new ArgumentException($"Student.PatchSize is {architecture.PatchSize}; the teacher has no projection head, so that patch "
                + $"features are compared, and it must be the teacher's {teacher.Model.Options.PatchSize}.", nameof(options));
        }
        int global = ViewSizes.For(options.Views, architecture).Global, patch = teacher.Model.Options.PatchSize;
        if (global % patch != 0)
            throw new ArgumentException($"The global views have {global} pixels a side; it must be a multiple of the teacher's PatchSize {patch}.", nameof(options));
    }

    private bool SameSize => teacher.Model.Options.HasSameWeightsAs(architecture);

    /// <summary>Trains the student; the teacher stays as it is.</summary>
    /// <param name="input">Images and, for a mask-guided teacher, their masks.</param>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    /// <exception cref="Images.ImageReadException">An image cannot be read, and the options say to stop.</exception>
    /// <exception cref="InvalidDataException">Masks are damaged or of another size than their image.</exception>
    /// <exception cref="InvalidOperationException">There are fewer than two readable images, or the device is not there.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="TrainingDivergedException">The loss is not a finite number.</exception>
    public PretrainedTransformer Fit(IDataView input)
    {
        using var run = new PretrainingRun(context, options, "Distillation");
        return teacher.Head is null ? FitFeatures(run, input) : FitPrototypes(run, input);
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => EncoderEmbedding.OutputSchema(inputSchema, options);

    private PretrainedTransformer FitPrototypes(PretrainingRun run, IDataView input)
    {
        var frozen = Copy(teacher.Model.Options, run, copyWeights: true);
        using var frozenEncoder = new VisionEncoder(frozen.Backbone, frozen.Head, teacher.Normalization);      // in evaluation mode
        frozen.Freeze();
        var learning = Copy(architecture, run, copyWeights: StartsFromTeacher);
        var encoder = new VisionEncoder(learning.Backbone, learning.Head, teacher.Normalization);
        encoder.Model.train();
        encoder.Head!.train();
        try
        {
            encoder.Model.RecomputesBlocks = options.RecomputeBlocks;
            var report = run.Train(input, options.Views, architecture, encoder,
                _ => new DistillationMethod(options, learning, frozen), teacher);
            return new(EncoderEmbedding.Create(context, encoder, options, input), report);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    private PretrainedTransformer FitFeatures(PretrainingRun run, IDataView input)
    {
        var views = options.Views.Copy();
        if (views.LocalViews > 0)
        {
            run.Limits.Note($"Views.LocalViews is 0, not {views.LocalViews}: the teacher has no projection head, and features are compared "
                + "view by view.");
        }
        views.LocalViews = 0;
        if (options.Student is { } asked && asked.Pooling != architecture.Pooling)
            run.Limits.Note($"Student.Pooling is {architecture.Pooling}, not {asked.Pooling}: it is the teacher's.");
        using var frozen = Model(teacher.Model.Options, run, copyWeights: true);
        frozen.eval();
        foreach (var parameter in frozen.parameters()) parameter.requires_grad = false;
        var student = Model(architecture, run, StartsFromTeacher);
        var encoder = new VisionEncoder(student, normalization: teacher.Normalization);
        student.train();
        try
        {
            student.RecomputesBlocks = options.RecomputeBlocks;
            var report = run.Train(input, views, architecture, encoder,
                _ => new FeatureDistillationMethod(student, frozen, run.Seed, run.Device), teacher);
            return new(EncoderEmbedding.Create(context, encoder, options, input), report);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    private bool StartsFromTeacher => options.StudentInit != StudentInit.Fresh && SameSize;

    // The head starts as the teacher's wherever the widths agree: its prototypes are what the distributions are over.
    private DinoBranch Copy(VitOptions sizes, PretrainingRun run, bool copyWeights)
    {
        var model = Model(sizes, run, copyWeights);
        var head = new DinoHead(sizes.EmbedDim, teacher.Head!.Options, run.Seed);
        if (sizes.EmbedDim == teacher.FeatureDim) CopyShared(teacher.Head, head);
        head.to(run.Device);
        head.ComputeType = run.ComputeType;
        return new(model, head);
    }

    private VisionTransformer Model(VitOptions sizes, PretrainingRun run, bool copyWeights)
    {
        var model = new VisionTransformer(sizes, run.Seed);
        if (copyWeights) CopyShared(teacher.Model, model);
        model.to(run.Device);
        model.ComputeType = run.ComputeType;
        return model;
    }

    private static void CopyShared(nn.Module source, nn.Module target)
    {
        using var _ = no_grad();
        var known = source.state_dict();
        foreach (var (name, tensor) in target.state_dict()) tensor.copy_(known[name]);
    }
}
