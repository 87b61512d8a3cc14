using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.NearestNeighbors;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Catalog;

/// <summary>
/// Self-supervised learning of image encoders, and their use in ML.NET pipelines: what <c>ml.SelfSupervised()</c> offers.
/// </summary>
public sealed class SelfSupervisedCatalog
{
    internal SelfSupervisedCatalog(MLContext context) => Context = context;

    internal MLContext Context { get; }

    /// <summary>Adds the feature vectors of images.</summary>
    /// <param name="outputColumnName">The column to add: a vector of Single, as long as the encoder's features.</param>
    /// <param name="inputColumnName">The column to read images from: Text (a path), a vector of Byte (an encoded file) or Image.</param>
    /// <param name="encoder">Computes the features. Stays the caller's: it must live as long as what is built with it.</param>
    public ImageEmbeddingEstimator EmbedImages(string outputColumnName, string inputColumnName, VisionEncoder encoder) =>
        EmbedImages(encoder, new() { OutputColumnName = outputColumnName, InputColumnName = inputColumnName });

    /// <summary>Adds the feature vectors of images.</summary>
    /// <param name="encoder">Computes the features. Stays the caller's: it must live as long as what is built with it.</param>
    /// <param name="options">Columns and batches.</param>
    /// <exception cref="ArgumentException">An option is out of range, or masks are given to an encoder that takes none.</exception>
    public ImageEmbeddingEstimator EmbedImages(VisionEncoder encoder, ImageEmbeddingOptions options) => new(Context, encoder, options);

    /// <summary>Classifies features by their nearest training rows, as DINO evaluates an encoder.</summary>
    /// <param name="labelColumnName">The column of classes: a key.</param>
    /// <param name="featureColumnName">The column of features: a vector of Single.</param>
    /// <param name="k">Neighbours that vote.</param>
    public NearestNeighborsEstimator NearestNeighbors(string labelColumnName = "Label", string featureColumnName = "Features", int k = 20) =>
        NearestNeighbors(new() { LabelColumnName = labelColumnName, FeatureColumnName = featureColumnName, K = k });

    /// <summary>Classifies features by their nearest training rows, as DINO evaluates an encoder.</summary>
    /// <param name="options">Columns, number of neighbours and temperature.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public NearestNeighborsEstimator NearestNeighbors(NearestNeighborsOptions options) => new(options);
}
