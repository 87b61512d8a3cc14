using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Pretraining.Dino;

/// <summary>Pretrains an encoder with DINO, guided by masks where the data has them. Labels are not used.</summary>
public sealed class DinoEstimator : IEstimator<PretrainedTransformer>
{
    private const double LongestTemperatureWarmup = 0.3;

    private readonly MLContext context;
    private readonly DinoOptions options;

    internal DinoEstimator(MLContext context, DinoOptions options)
    {
        this.context = context;
        this.options = OptionsValidator.Validate(options).Copy();
        EncoderResizing.CheckStart(options.StartFrom, options.Encoder);
        _ = Training.Data.ViewSizes.For(options.Views, options.Encoder);
    }

    /// <summary>Trains, and gives the teacher: its encoder and head, as the DINO reference does.</summary>
    /// <param name="input">Images and, where a mask column is named, their masks.</param>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">There are fewer than two readable images, or the device is not there.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="TrainingDivergedException">The loss is not a finite number.</exception>
    public PretrainedTransformer Fit(IDataView input)
    {
        using var run = new PretrainingRun(context, options, "DINO");
        var fitted = options.Copy();
        fitted.WarmupTeacherTemperatureEpochs = run.Limits.Epochs(nameof(options.WarmupTeacherTemperatureEpochs), options.WarmupTeacherTemperatureEpochs, LongestTemperatureWarmup);
        if (options.MaskColumnName is not null) fitted.FreezeBiasEpochs = run.Limits.FreezeBiasEpochs(options.FreezeBiasEpochs);

        using var student = Branch(options.DropPath, run);
        var teacher = Branch(dropPath: 0, run);
        var encoder = new VisionEncoder(teacher.Backbone, teacher.Head, options.StartFrom?.Normalization);
        try
        {
            student.Backbone.RecomputesBlocks = options.RecomputeBlocks;
            var report = run.Train(input, options.Views, options.Encoder, encoder, steps => new DinoMethod(fitted, student, teacher, steps, run.Device));
            return new(EncoderEmbedding.Create(context, encoder, options, input), report);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => EncoderEmbedding.OutputSchema(inputSchema, options);

    private DinoBranch Branch(double dropPath, PretrainingRun run)
    {
        var architecture = options.Encoder.Copy();
        architecture.DropPath = dropPath;
        architecture.MaskBias = options.MaskColumnName is null ? null : options.MaskBias;
        var backbone = new VisionTransformer(architecture, run.Seed);
        var head = new DinoHead(architecture.EmbedDim, options.Head, run.Seed);
        if (options.StartFrom is { } start) EncoderResizing.Start(start, backbone, head);
        backbone.to(run.Device);
        head.to(run.Device);
        backbone.ComputeType = head.ComputeType = run.ComputeType;
        return new(backbone, head);
    }
}
