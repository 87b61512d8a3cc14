using MaskBias.MLNet.Images;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using SkiaSharp;
using TorchSharp;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// Decoding JPEG files of 500 pixels and making DINO's 2 views of 224 and 8 of 96, with colours, blur and all, against Skia decoding the same
/// files and cutting and resizing the same crops without any of it; one core each.
/// </summary>
internal static class AugmentationBenchmark
{
    private const int Photos = 32, Batch = 16, Rounds = 11, Global = 224, Local = 96;
    private const double LeastRatio = 0.5;

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        torch.set_num_threads(1);
        string folder = Directory.CreateTempSubdirectory("maskbias-augmentation-").FullName;
        try
        {
            string[] files = SyntheticPhotos.Write(folder, Photos, shortest: 375, longest: 500);
            var ml = new MLContext(seed: 1);
            // No cache: every epoch decodes. The loader's one thread and the tensor operations take turns on one core.
            var options = new DinoOptions { Encoder = VitOptions.Small(), LoaderThreads = 1, ImageCacheMegabytes = 0, BatchSize = Batch };
            using var encoder = new VisionEncoder(new VisionTransformer(VitOptions.Tiny(), seed: 1));
            var sizes = new ViewSizes(options.Views, Global, Local, options.Encoder.PatchSize);
            using var store = ImageStore.Load(ml.Data.LoadFromEnumerable(files.Select(f => new Row { ImagePath = f })), options, sizes.KeptSide, _ => { });
            var loader = new ViewLoader(store, options, sizes, encoder, Batch, parts: 1, seed: 1, _ => { });
            var sampler = new ViewSampler(options.Views, Global);
            int epoch = 0;
            var (plain, whole, ratio) = Timing.Compare(Rounds, Plain, Whole);
            output.WriteLine(FormattableString.Invariant(
                $"  Skia's crops {Photos / plain:0.0} images/s; DINO's views {Photos / whole:0.0}: {1 / ratio:0.00} of it (at least {LeastRatio} wanted)"));

            void Whole()
            {
                foreach (var batch in loader.Epoch(epoch++, CancellationToken.None)) batch.Dispose();
            }

            void Plain()
            {
                for (int i = 0; i < files.Length; i++)
                {
                    using var image = ImageDecoder.DecodeBitmap(File.ReadAllBytes(files[i]), files[i], applyOrientation: true);
                    var draws = sampler.Draw(image.Height, image.Width, new Random(i));
                    for (int view = 0; view < draws.Length; view++) Crop(image, draws[view].Region, view < options.Views.GlobalViews ? Global : Local);
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Crop(SKBitmap image, CropRegion region, int size)
    {
        using var view = new SKBitmap(size, size, isOpaque: true);
        using var canvas = new SKCanvas(view);
        using var paint = new SKPaint { FilterQuality = SKFilterQuality.High };
        var from = new SKRect((float)region.X, (float)region.Y, (float)(region.X + region.Width), (float)(region.Y + region.Height));
        canvas.DrawBitmap(image, from, new SKRect(0, 0, size, size), paint);
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
    }
}
