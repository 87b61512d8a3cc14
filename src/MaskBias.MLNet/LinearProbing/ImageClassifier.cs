using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>An encoder with a linear layer on its features: adds PredictedLabel (a key) and Score (the classes' probabilities).</summary>
/// <remarks>
/// Saved, it becomes ML.NET's own transformers around an ONNX model, and a maximum-entropy model, which load without this library. A probe's
/// encoder stays its caller's and must outlive it; a fine-tuned one is freed with it.
/// </remarks>
public sealed class ImageClassifier : ITransformer, IDisposable
{
    private const string FeatureColumnName = "__Classifier";

    private readonly TransformerChain<ITransformer> chain;
    private readonly ImageEmbeddingTransformer upright;
    private readonly ImageEmbeddingOptions embedding;
    private readonly LinearClassifier linear;
    private readonly bool ownsEncoder;

    internal ImageClassifier(
        MLContext context, VisionEncoder encoder, ImageEmbeddingOptions embedding, LinearClassifier linear, LabelColumn label, IDataView input,
        ClassifierReport report, bool ownsEncoder)
    {
        (Encoder, Report, Classes, this.linear, this.ownsEncoder) = (encoder, report, label.ClassNames(), linear, ownsEncoder);
        this.embedding = embedding.Copy();
        this.embedding.OutputColumnName = FeatureColumnName;
        var embed = new ImageEmbeddingEstimator(context, encoder, this.embedding).Fit(input);
        var classify = linear.ToTransformer(context, embed.GetOutputSchema(input.Schema), FeatureColumnName, label);
        var drop = context.Transforms.DropColumns(FeatureColumnName).Fit(classify.Transform(embed.Transform(input)));
        chain = new(embed, classify, drop);
        var turning = this.embedding.Copy();
        turning.ApplyOrientation = true;
        upright = new ImageEmbeddingEstimator(context, encoder, turning).Fit(input);
    }

    /// <summary>The encoder that computes the features.</summary>
    public VisionEncoder Encoder { get; }

    /// <summary>How the training went.</summary>
    public ClassifierReport Report { get; }

    /// <summary>Names of the classes, in the order of Score.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <inheritdoc/>
    public bool IsRowToRowMapper => true;

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => chain.GetOutputSchema(inputSchema);

    /// <inheritdoc/>
    public IDataView Transform(IDataView input) => chain.Transform(input);

    /// <summary>
    /// As <see cref="Transform"/>, but photos that are stored turned are seen upright by their EXIF orientation, as they were learned from: to
    /// measure what was learned. A saved classifier sees pixels as they are stored, unless the service that runs it has ApplyOrientation.
    /// </summary>
    public IDataView TransformUpright(IDataView input) =>
        chain.Skip(1).Aggregate(upright.Transform(input), (view, step) => step.Transform(view));

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => ((ITransformer)chain).GetRowToRowMapper(inputSchema);

    /// <summary>Writes the classifier as ML.NET's own transformers; a mask-guided encoder refuses and says what to do.</summary>
    public void Save(ModelSaveContext ctx) => ((ITransformer)chain).Save(ctx);

    /// <summary>What a prediction rests on: how much the probability of a class falls when a part of the image is hidden.</summary>
    /// <param name="image">The image, of any size; it is seen as the classifier sees it, without masks.</param>
    /// <param name="className">The class; null for the one that is predicted.</param>
    /// <param name="windowPatches">Side of the part that is hidden, in patches; it moves patch by patch.</param>
    /// <exception cref="ArgumentException">There is no such class, or the window is larger than the image.</exception>
    public SaliencyMap Saliency(RgbImage image, string? className = null, int windowPatches = 2)
    {
        ArgumentNullException.ThrowIfNull(image);
        int index = className is null ? -1 : Classes.ToList().IndexOf(className);
        if (className is not null && index < 0)
            throw new ArgumentException($"There is no class '{className}'; the classes are {string.Join(", ", Classes.Select(c => $"'{c}'"))}.");
        var (values, chosen, probability) = OcclusionSaliency.Compute(Encoder, embedding.Blocks, linear, image, index, windowPatches);
        int grid = Encoder.ImageSize / Encoder.Model.Options.PatchSize;
        return new(Classes[chosen], probability, grid, values, IsoCropResizer.Resize(image, Encoder.ImageSize));
    }

    /// <summary>Frees a fine-tuned encoder; a probe's is its caller's.</summary>
    public void Dispose()
    {
        chain.Dispose();
        upright.Dispose();
        if (ownsEncoder) Encoder.Dispose();
    }
}
