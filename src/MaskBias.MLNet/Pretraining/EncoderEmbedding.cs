using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Pretraining;

/// <summary>The embedding that a fitted pretraining estimator stands for.</summary>
internal static class EncoderEmbedding
{
    public const string FeatureColumnName = "Features";

    public static ImageEmbeddingTransformer Create(MLContext context, VisionEncoder encoder, PretrainingOptions options, IDataView input)
    {
        var embedding = new ImageEmbeddingOptions
        {
            InputColumnName = options.ImageColumnName, OutputColumnName = FeatureColumnName,
            MaskColumnName = encoder.Model.IsMaskGuided ? options.MaskColumnName : null, Masks = options.Masks,
        };
        return new ImageEmbeddingEstimator(context, encoder, embedding).Fit(input);
    }

    public static SchemaShape OutputSchema(SchemaShape inputSchema, PretrainingOptions options)
    {
        _ = ImageColumn.Find(inputSchema, options.ImageColumnName);
        if (options.MaskColumnName is { } masks) MaskColumn.Check(inputSchema, masks);
        var features = MlNetAccess.NewColumn(FeatureColumnName, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, isKey: false);
        return new SchemaShape(inputSchema.Where(c => c.Name != FeatureColumnName).Append(features));
    }
}
