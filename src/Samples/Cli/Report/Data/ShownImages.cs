using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>Images that are shown, decoded.</summary>
internal static class ShownImages
{
    /// <summary>Decodes images, finds their masks and looks at them with the study's first encoder.</summary>
    /// <exception cref="InvalidDataException">Masks are damaged or of another image.</exception>
    public static IReadOnlyList<ShownImage> Of(MLContext ml, ImageStudy study, IReadOnlyList<int> chosen, ReportOptions options)
    {
        var files = chosen.Select(i => study.Images.Images[i]).ToList();
        return [.. files.Zip(Masks(ml, files, options), (file, found) =>
        {
            var image = Decode(file);
            return new ShownImage(study.Images.TitleOf(file), file.Name, image, found, AttentionMap.Of(study.Encoder, image));
        })];
    }

    /// <summary>A small picture of an image.</summary>
    public static byte[] Thumbnail(LabelledImage image, int side) => Decode(image).Reduced(side).ToPng();

    private static IEnumerable<MaskSet?> Masks(MLContext ml, IReadOnlyList<LabelledImage> images, ReportOptions options)
    {
        var view = ml.Data.LoadFromEnumerable(images.Select(image => new ImageFolderRow { ImagePath = image.Path }));
        var (masked, column) = options.AddMasks(ml, view);
        return column is null
            ? images.Select(_ => (MaskSet?)null) : masked.GetColumn<byte[]>(column).Select(encoded => MaskSet.Decode(encoded));
    }

    private static RgbImage Decode(LabelledImage image) => ImageDecoder.Decode(File.ReadAllBytes(image.Path), image.Path);
}
