using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Training;
using Microsoft.ML;

namespace MaskBias.MLNet.Pretraining.Mae;

/// <summary>
/// An encoder pretrained by MAE as a transformer: it adds the column Features, and shows what it makes of images that are mostly hidden.
/// </summary>
public sealed class MaeTransformer : PretrainedTransformer
{
    private readonly MaeOptions options;
    private readonly MaeReconstructor reconstructor;

    internal MaeTransformer(ImageEmbeddingTransformer embedding, TrainingReport report, MaeOptions options) : base(embedding, report)
    {
        this.options = options;
        reconstructor = new(Encoder,
            new() { MaskRatio = options.MaskRatio, MaskBlockSize = options.MaskBlockSize, Masks = options.Masks });
    }

    /// <summary>Hides patches of an image as the training did, and reconstructs them.</summary>
    /// <inheritdoc cref="MaeReconstructor.Reconstruct"/>
    public MaeReconstruction Reconstruct(RgbImage image, MaskSet? masks = null, int seed = 0) =>
        reconstructor.Reconstruct(image, masks, seed);

    /// <summary>Reconstructs the first images of a data view, with their masks where the training had masks.</summary>
    /// <param name="input">The columns that the training read.</param>
    /// <param name="count">How many images; fewer where there are fewer.</param>
    /// <param name="seed">Which patches are hidden; each image has its own.</param>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    /// <exception cref="ImageReadException">An image cannot be read.</exception>
    /// <exception cref="InvalidDataException">Masks are damaged or of another size than their image.</exception>
    public IReadOnlyList<MaeReconstruction> Reconstruct(IDataView input, int count = 8, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(input);
        var (image, _) = ImageColumn.Find(input.Schema, options.ImageColumnName);
        var mask = options.MaskColumnName is { } name ? MaskColumn.Find(input.Schema, name) : (DataViewSchema.Column?)null;
        using var cursor = input.GetRowCursor(mask is null ? [image] : [image, mask.Value]);
        var images = new ImageRowReader(cursor, options.ImageColumnName, applyOrientation: true);
        var masks = mask is null ? null : MaskColumn.Reader(cursor, mask.Value);
        var results = new List<MaeReconstruction>();
        while (results.Count < count && cursor.MoveNext()) results.Add(Row());
        return results;

        MaeReconstruction Row()
        {
            var (pixels, known) = (images.Read(), masks?.Invoke());
            try
            {
                return Reconstruct(pixels, known, seed + results.Count);
            }
            catch (ArgumentException e)
            {
                throw new InvalidDataException($"Row {cursor.Position}, column '{options.MaskColumnName}': {e.Message}", e);
            }
        }
    }
}
