using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>Images that are shown, decoded.</summary>
internal static class ShownImages
{
    /// <summary>Decodes images, finds their masks and looks at them with the study's first encoder.</summary>
    /// <exception cref="InvalidDataException">Masks are damaged or of another image.</exception>
    public static IReadOnlyList<ShownImage> Of(MLContext ml, ImageStudy study, IReadOnlyList<int> chosen, string? masks)
    {
        var files = chosen.Select(i => study.Images.Images[i]).ToList();
        return [.. files.Zip(Masks(ml, files, masks), (file, found) =>
        {
            var image = Decode(file);
            return new ShownImage(study.Images.TitleOf(file), file.Name, image, found, AttentionMap.Of(study.Encoder, image));
        })];
    }

    /// <summary>A small picture of an image.</summary>
    public static byte[] Thumbnail(LabelledImage image, int side) => Decode(image).Reduced(side).ToPng();

    // Those of files, in which images may be missing, or those that the segmenter finds.
    private static IReadOnlyList<MaskSet> Masks(MLContext ml, IReadOnlyList<LabelledImage> images, string? path)
    {
        var view = ml.Data.LoadFromEnumerable(images.Select(image => new ImageFolderRow { ImagePath = image.Path }));
        IDataView masked = path is null
            ? ml.SelfSupervised().SegmentImages().Fit(view).Transform(view)
            : ml.SelfSupervised().LoadMasks(new LoadMasksOptions { Path = path, OnMissingMasks = MissingMasks.NoMasks }).Fit(view).Transform(view);
        return [.. masked.GetColumn<byte[]>("Masks").Select(encoded => MaskSetEncoding.Decode(encoded))];
    }

    private static RgbImage Decode(LabelledImage image) => ImageDecoder.Decode(File.ReadAllBytes(image.Path), image.Path);
}
