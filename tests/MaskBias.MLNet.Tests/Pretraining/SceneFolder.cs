using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Samples.Scenes;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>Ten generated scenes of 32 x 32 pixels, one of each class, and rows that point to them.</summary>
public sealed class SceneFolder : IDisposable
{
    public const int Count = 10, Side = 32;

    private readonly TempFolder folder = new();

    public SceneFolder() => Files = ShapeScenes.Generate(folder.Path, new() { Size = Side, ImagesPerClass = 1 });

    public string Path => folder.Path;

    public IReadOnlyList<string> Files { get; }

    /// <summary>One row per scene, with a mask of the left third and one of the right half.</summary>
    public List<SceneRow> Rows() => [.. Files.Select(file => new SceneRow { ImagePath = file, Masks = Halves(Side, Side).Encode() })];

    public IDataView Load(MLContext ml) => ml.Data.LoadImageFolder(Path);

    public IDataView LoadWithMasks(MLContext ml) => ml.Data.LoadFromEnumerable(Rows());

    internal static MaskSet Halves(int height, int width) => MaskSet.FromBitmaps(height, width,
        [Pixels(height, width, x => x < width / 3), Pixels(height, width, x => x >= width / 2)]);

    internal static byte[] Png(int width, int height)
    {
        using var bitmap = PixelBuffers.ToBitmap(new RgbImage(height, width,
            [.. Enumerable.Range(0, 3 * width * height).Select(i => (byte)(i * 37))]));
        using var data = bitmap.Encode(SkiaSharp.SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    public void Dispose() => folder.Dispose();

    private static bool[] Pixels(int height, int width, Func<int, bool> column) =>
        [.. Enumerable.Range(0, height * width).Select(i => column(i % width))];
}
