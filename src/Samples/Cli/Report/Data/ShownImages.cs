using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>Images that are shown, decoded.</summary>
internal static class ShownImages
{
    /// <summary>Decodes an image that was read before.</summary>
    public static RgbImage Decode(LabelledImage image) => ImageDecoder.Decode(File.ReadAllBytes(image.Path), image.Path);

    /// <summary>A small picture of an image.</summary>
    public static byte[] Thumbnail(LabelledImage image, int side) => Decode(image).Reduced(side).ToPng();

    /// <summary>The masks of images: from files, or found by the built-in segmenter.</summary>
    /// <param name="ml">The context.</param>
    /// <param name="images">The images.</param>
    /// <param name="path">A file or folder of masks, in which images may be missing; null for the segmenter.</param>
    /// <exception cref="IOException">The path does not exist.</exception>
    /// <exception cref="InvalidDataException">Masks are damaged or of another image.</exception>
    public static IReadOnlyList<MaskSet> Masks(MLContext ml, IReadOnlyList<LabelledImage> images, string? path)
    {
        var view = ml.Data.LoadFromEnumerable(images.Select(image => new ImageFolderRow { ImagePath = image.Path }));
        IDataView masked = path is null
            ? ml.SelfSupervised().SegmentImages().Fit(view).Transform(view)
            : ml.SelfSupervised().LoadMasks(new LoadMasksOptions { Path = path, OnMissingMasks = MissingMasks.NoMasks }).Fit(view).Transform(view);
        return [.. masked.GetColumn<byte[]>("Masks").Select(encoded => MaskSetEncoding.Decode(encoded))];
    }
}
