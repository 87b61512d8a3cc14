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
    public ImageEmbeddingMapping(DataViewSchema input, VisionEncoder encoder, ImageEmbeddingOptions options, MaskTokenReader maskTokens)
    {
        (Encoder, Options, MaskTokens) = (encoder, options, maskTokens);
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

    /// <summary>Length of the feature vectors.</summary>
    public int FeatureDim { get; }

    public IReadOnlyList<DataViewSchema.Column> Inputs { get; }

    public IReadOnlyList<DataViewSchema.DetachedColumn> Outputs { get; }

    public int BatchSize => Options.BatchSize;

    public IRowBatch CreateBatch(DataViewRow input, int capacity) => new ImageEmbeddingBatch(this, input, capacity);
}
