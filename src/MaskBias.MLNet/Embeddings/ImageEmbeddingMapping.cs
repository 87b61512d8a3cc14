using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Embeddings;

/// <summary>Embedding the images of one input schema.</summary>
internal sealed class ImageEmbeddingMapping : IRowMapping
{
    private readonly Lazy<EncoderSession?> session;

    public ImageEmbeddingMapping(DataViewSchema input, VisionEncoder encoder, Lazy<EncoderSession?> session, ImageEmbeddingOptions options,
        MaskTokenReader maskTokens, TurnedImages? turned)
    {
        (Encoder, this.session, Options, MaskTokens, Turned) = (encoder, session, options, maskTokens, turned);
        var (image, kind) = ImageColumn.Find(input, options.InputColumnName);
        Kind = kind;
        Inputs = options.MaskColumnName is { } masks ? [image, MaskColumn.Find(input, masks)] : [image];
        FeatureDim = options.Blocks?.Dimension(encoder.Model.Options) ?? encoder.FeatureDim;
        Outputs = [new(options.OutputColumnName, new VectorDataViewType(NumberDataViewType.Single, FeatureDim))];
    }

    public VisionEncoder Encoder { get; }

    public ImageEmbeddingOptions Options { get; }

    public MaskTokenReader MaskTokens { get; }

    public ImageColumnKind Kind { get; }

    /// <summary>Counts images that are stored turned, where somebody asks.</summary>
    public TurnedImages? Turned { get; }

    /// <summary>Length of the feature vectors.</summary>
    public int FeatureDim { get; }

    public IReadOnlyList<DataViewSchema.Column> Inputs { get; }

    public IReadOnlyList<DataViewSchema.DetachedColumn> Outputs { get; }

    public int BatchSize => Options.BatchSize;

    /// <summary>Computes features of a batch.</summary>
    /// <param name="pixels">Pixels in [0, 255], at least [rows, 3, S, S].</param>
    /// <param name="rows">Images in the batch.</param>
    /// <param name="features">Receives [rows, D].</param>
    /// <param name="maskTokens">[rows, K, N], or empty.</param>
    public void Embed(float[] pixels, int rows, Span<float> features, ReadOnlySpan<float> maskTokens)
    {
        if (session.Value is { } onnx) onnx.Embed(pixels, rows, features);
        else Encoder.Embed(pixels.AsSpan(0, rows * 3 * Encoder.ImageSize * Encoder.ImageSize), rows, features, maskTokens, Options.Blocks);
    }

    public IRowBatch CreateBatch(DataViewRow input, int capacity) => new ImageEmbeddingBatch(this, input, capacity);
}
