using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using TorchSharp;

namespace MaskBias.MLNet.Pretraining.Mae;

/// <summary>
/// Pretrains an encoder as a masked autoencoder (He et al., CVPR 2022), guided by masks where the data has them. Labels are not used.
/// </summary>
public sealed class MaeEstimator : IEstimator<MaeTransformer>
{
    private readonly MLContext context;
    private readonly MaeOptions options;

    internal MaeEstimator(MLContext context, MaeOptions options)
    {
        this.context = context;
        this.options = OptionsValidator.Validate(options).Copy();
        EncoderResizing.CheckStart(options.StartFrom, options.Encoder);
    }

    /// <summary>Trains, and gives the encoder with its decoder.</summary>
    /// <param name="input">Images and, where a mask column is named, their masks.</param>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    /// <exception cref="Images.ImageReadException">An image cannot be read, and the options say to stop.</exception>
    /// <exception cref="InvalidDataException">Masks are damaged or of another size than their image.</exception>
    /// <exception cref="InvalidOperationException">There are fewer than two readable images, or the device is not there.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="TrainingDivergedException">The loss is not a finite number.</exception>
    public MaeTransformer Fit(IDataView input)
    {
        using var run = new PretrainingRun(context, options, "MAE");
        foreach (string taken in options.TakenFromStart()) run.Limits.Note(taken);
        var fitted = options.Copy();
        if (options.MaskColumnName is not null) fitted.FreezeBiasEpochs = run.Limits.FreezeBiasEpochs(options.FreezeBiasEpochs);

        var architecture = options.Architecture();
        var model = VisionTransformer.CreateAsMae(architecture, run.Seed);
        var decoder = new MaeDecoder(architecture, options.Decoder, run.Seed);
        if (options.StartFrom is { } start) EncoderResizing.Start(start, model, decoder: decoder);
        model.to(run.Device);
        decoder.to(run.Device);
        model.ComputeType = decoder.ComputeType = run.ComputeType;
        var encoder = new VisionEncoder(model, normalization: options.StartFrom?.Normalization, decoder: decoder);
        try
        {
            model.RecomputesBlocks = decoder.RecomputesBlocks = options.RecomputeBlocks;
            var report = run.Train(input, options.Crop.AsViews(), architecture, encoder,
                _ => new MaeMethod(fitted, model, decoder, run.Seed));
            return new(EncoderEmbedding.Create(context, encoder, options, input), report, options);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => EncoderEmbedding.OutputSchema(inputSchema, options);
}
