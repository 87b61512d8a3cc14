using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Microsoft.ML.Transforms.Image;

namespace MaskBias.MLNet.Extensions.Models;

/// <summary>
/// The steps of a saved ML.NET pipeline that make pixels of an image for its graph. Serving does their work itself, so they must be those
/// that EmbedImages saves: with others it would give other numbers than the model.
/// </summary>
internal static class ImageSteps
{
    /// <summary>Whether the step loads, resizes or reads out images.</summary>
    public static bool Includes(ITransformer step) =>
        step is ImageLoadingTransformer or ImageResizingTransformer or ImagePixelExtractingTransformer;

    /// <summary>Throws where an image gets to the graph otherwise than EmbedImages brings it there.</summary>
    /// <param name="ml">Makes the steps to compare with.</param>
    /// <param name="steps">All steps before the graph.</param>
    /// <param name="input">What the first one reads.</param>
    /// <exception cref="InvalidOperationException">A step before the graph changes images in a way of its own.</exception>
    public static void Check(MLContext ml, ITransformer[] steps, DataViewSchema input)
    {
        if (steps is not [.. var before, ImageResizingTransformer resize, ImagePixelExtractingTransformer extract])
        {
            throw new InvalidOperationException("its ONNX graph does not follow the resizing of an image and the extraction of its pixels. "
                + "Save a model whose embedding step is EmbedImages.");
        }
        bool isLoaded = false;
        var schema = input;
        foreach (var step in before)
        {
            var next = step.GetOutputSchema(schema);
            if (step is ImageLoadingTransformer && !isLoaded) isLoaded = true;
            else if (Includes(step) || (step is not ColumnCopyingTransformer && Images(next).Count() > Images(schema).Count())) throw Refused(step, next);
            schema = next;
        }
        var resized = resize.GetOutputSchema(schema);
        if (!IsAsSaved(ml, resize, extract, schema, resized, extract.GetOutputSchema(resized)))
        {
            throw new InvalidOperationException($"its steps {Name(resize, resized)} and {nameof(ImagePixelExtractingTransformer)} are not those "
                + "that EmbedImages saves: IsoCrop about the centre to a square, and R, G and B as they are. Save a model whose embedding step is "
                + "EmbedImages.");
        }
    }

    // ML.NET does not say how a step was configured, but saves it: the same settings give the same files.
    private static bool IsAsSaved(
        MLContext ml, ITransformer resize, ITransformer extract, DataViewSchema images, DataViewSchema resized, DataViewSchema extracted)
    {
        string image = resized[^1].Name, pixels = extracted[^1].Name;
        if (resized[^1].Type is not ImageDataViewType { Height: > 0 } type || type.Height != type.Width) return false;
        var actual = Saved(ml, resize, extract);
        return Images(images).Any(source =>
        {
            var expectedResize = ml.Transforms.ResizeImages(
                image, type.Width, type.Height, source.Name, ImageResizingEstimator.ResizingKind.IsoCrop, ImageResizingEstimator.Anchor.Center);
            var data = NoRows(ml, source.Name);
            var fitted = expectedResize.Fit(data);
            var expected = Saved(ml, fitted, ml.Transforms.ExtractPixels(pixels, image).Fit(fitted.Transform(data)));
            return expected.Count == actual.Count
                && expected.All(file => actual.TryGetValue(file.Key, out byte[]? bytes) && bytes.AsSpan().SequenceEqual(file.Value));
        });
    }

    private static Dictionary<string, byte[]> Saved(MLContext ml, params ITransformer[] steps)
    {
        var stream = new MemoryStream();
        ml.Model.Save(new TransformerChain<ITransformer>(steps), inputSchema: null, stream);
        using var zip = new ZipArchive(stream, ZipArchiveMode.Read);
        return zip.Entries.ToDictionary(entry => entry.FullName, entry =>
        {
            using var file = entry.Open();
            byte[] bytes = new byte[entry.Length];
            file.ReadExactly(bytes);
            return bytes;
        });
    }

    private static IDataView NoRows(MLContext ml, string column)
    {
        var rows = SchemaDefinition.Create(typeof(Row));
        rows[0].ColumnName = column;
        return ml.Data.LoadFromEnumerable(Array.Empty<Row>(), rows);
    }

    private static IEnumerable<DataViewSchema.Column> Images(DataViewSchema schema) => schema.Where(c => c.Type is ImageDataViewType);

    private static string Name(ITransformer step, DataViewSchema output) => $"{step.GetType().Name} (which makes column {output[^1].Name})";

    private static InvalidOperationException Refused(ITransformer step, DataViewSchema output) => new(
        $"its step {Name(step, output)} comes before the embedding, and serving would leave it out: it resizes each image as EmbedImages does and "
        + "embeds it. Save a model without that step, whose EmbedImages reads the images or their paths as they are.");

    private sealed class Row
    {
        [ImageType(1, 1)]       // ResizeImages takes any size
        public MLImage? Image { get; set; }
    }
}
