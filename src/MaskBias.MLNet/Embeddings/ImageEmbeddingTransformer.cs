using MaskBias.MLNet.Images;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Embeddings;

/// <summary>
/// Adds the feature vectors of images: lazily, in read-ahead batches, and only where they are asked for. Safe under parallel cursors.
/// </summary>
/// <remarks>
/// Saved, it becomes an equivalent chain of ML.NET's own transformers around an ONNX model, which loads without this library and gives
/// the same numbers. The encoder stays its caller's and must outlive the transformer and its data views. A plain encoder on the
/// processor is read when first used and then runs in ONNX Runtime: changing its weights afterwards changes nothing here.
/// </remarks>
public sealed class ImageEmbeddingTransformer : ITransformer, IDisposable
{
    private readonly MLContext context;
    private readonly ImageEmbeddingOptions options;
    private readonly MaskTokenReader maskTokens;
    private readonly ImageColumnKind kind;
    private readonly TurnedImages? turned;
    private readonly Lazy<EncoderSession?> session;
    private volatile bool isDisposed;

    internal ImageEmbeddingTransformer(MLContext context, VisionEncoder encoder, ImageEmbeddingOptions options, MaskTokenReader maskTokens,
        TurnedImages? turned, DataViewSchema input)
    {
        (this.context, Encoder, this.options, this.maskTokens, this.turned) = (context, encoder, options, maskTokens, turned);
        session = new(() => isDisposed ? throw new ObjectDisposedException(nameof(ImageEmbeddingTransformer), EncoderSession.Disposed)
            : EncoderSession.Fits(encoder) ? new(encoder, options.Blocks) : null);
        kind = Map(input).Kind;
    }

    /// <summary>The encoder that computes the features.</summary>
    public VisionEncoder Encoder { get; }

    /// <summary>True: every row is computed by itself.</summary>
    public bool IsRowToRowMapper => true;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => new RowBindings(inputSchema, Map(inputSchema)).Output;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    public IDataView Transform(IDataView input) => new MappedView(input, Map(input.Schema));

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new RowMapper(inputSchema, Map(inputSchema));

    /// <summary>
    /// Writes the transformer as a chain of ML.NET's own: LoadImages (from a path), ResizeImages, ExtractPixels, ApplyOnnxModel.
    /// </summary>
    /// <exception cref="NotSupportedException">
    /// The encoder is mask-guided, the input is encoded bytes, or the EXIF orientation is applied.
    /// </exception>
    public void Save(ModelSaveContext ctx)
    {
        if (Encoder.Model.IsMaskGuided)
        {
            throw new NotSupportedException("An encoder with mask-guided attention cannot be saved in an ML.NET model, "
                + "where nothing makes masks: distil it into a plain one with SelfSupervised().Distill, or keep it with EncoderCheckpoint.Save.");
        }
        if (kind == ImageColumnKind.Encoded)
        {
            throw new NotSupportedException($"Column '{options.InputColumnName}' holds encoded files, which no transformer of ML.NET decodes: "
                + "embed from a column of paths or images to save the model, or keep the encoder with EncoderCheckpoint.Save. Served by "
                + "MaskBias.MLNet.Extensions, a model that was saved from paths takes encoded files.");
        }
        if (options.ApplyOrientation)
        {
            throw new NotSupportedException("ApplyOrientation is true; to save the model it must be false, "
                + "because ML.NET's LoadImages ignores the EXIF orientation. Served by MaskBias.MLNet.Extensions, a saved model can honour it.");
        }
        using var chain = BuildOnnxChain();
        ((ITransformer)chain).Save(ctx);
    }

    internal TransformerChain<ITransformer> BuildOnnxChain()
    {
        Encoder.ThrowIfDisposed();
        string output = options.OutputColumnName;
        OnnxExportOptions names = new()
        {
            InputName = EmbeddingOnnxChain.PixelsName(output),
            OutputName = EmbeddingOnnxChain.FeaturesName(output),
            Blocks = options.Blocks,
        };
        byte[] model = OnnxEncoder.Export(Encoder, names);
        return EmbeddingOnnxChain.Build(context, model, Encoder.ImageSize, kind, options.InputColumnName, output);
    }

    /// <summary>Frees what embedding has allocated; the encoder stays its caller's.</summary>
    public void Dispose()
    {
        if (isDisposed) return;
        isDisposed = true;
        if (session.IsValueCreated) session.Value?.Dispose();
    }

    private ImageEmbeddingMapping Map(DataViewSchema input) => new(input, Encoder, session, options, maskTokens, turned);
}
