using System.Collections.Concurrent;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Sam;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Tests.Embeddings;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Masks.Sam;

/// <summary>Segment Anything as a step of a pipeline, and its store.</summary>
public sealed class SamMasksTests : IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly ShapePhotos photos = new(perClass: 2);
    private readonly TempFolder folder = new();
    private readonly string checkpoint;
    private SamMasksProgress? last;

    public SamMasksTests() => checkpoint = TinySam.Save(folder);

    private string Store => Path.Combine(folder.Path, "store");

    private string[] Entries => Directory.Exists(Store) ? Directory.GetFiles(Store, "*.masks", SearchOption.AllDirectories) : [];

    [Theory]
    [InlineData("ImagePath")]
    [InlineData("Encoded")]
    [InlineData("Image")]
    public void Each_rows_masks_come_from_its_image(string column)
    {
        var data = photos.LoadWithImages(ml);
        using var model = new SamMasksEstimator(ml, Options(o => o.InputColumnName = column)).Fit(data);
        var view = model.Transform(data);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Byte), view.Schema["Masks"].Type);
        Assert.Equal(photos.Rows.Count, view.GetColumn<string>("Label").Count());
        Assert.Null(last);                                                  // nothing was asked for

        byte[][] masks = [.. view.GetColumn<byte[]>("Masks")];
        using var sam = SamModel.Load(checkpoint, TinySam.Architecture().DecoderHeads);
        var generator = new SamMaskGenerator(sam, TinySam.Generator());
        for (int i = 0; i < masks.Length; i++)
        {
            var expected = generator.Generate(ImageDecoder.Decode(photos.Rows[i].Encoded, "photo")).Masks;
            Assert.NotEqual(0, expected.Count);
            Assert.Equal(expected, MaskSet.Decode(masks[i]));
        }
        Assert.Equal((masks.Length, 0L, null), (last!.Images, last.FromStore, last.Current));
    }

    [Fact]
    public void A_second_run_reads_what_the_first_one_kept()
    {
        byte[][] first = Run();
        Assert.Equal(0, last!.FromStore);
        Assert.Equal(photos.Rows.Count, Entries.Length);
        Assert.Equal(first, Run());
        Assert.Equal(photos.Rows.Count, last.FromStore);

        Assert.Equal(first, Run(o => o.Generator.PointsPerBatch = 2));      // has no part in the result
        Assert.Equal(photos.Rows.Count, last.FromStore);
        Run(o => o.Generator.MinMaskRegionArea = 7);                        // other settings, other entries
        Assert.Equal(0, last.FromStore);
        Run(o => o.CheckpointPath = TinySam.Save(folder, seed: 2, "other.safetensors"));
        Assert.Equal(0, last.FromStore);
        Assert.Equal(3 * photos.Rows.Count, Entries.Length);
    }

    [Fact]
    public void A_run_that_was_stopped_goes_on_and_damage_is_repaired()
    {
        byte[][] first = Run();
        string[] entries = Entries;
        byte[] whole = File.ReadAllBytes(entries[1]);
        File.Delete(entries[0]);
        File.WriteAllBytes(entries[0] + ".abc.tmp", whole[..10]);            // what a process that was killed leaves
        File.WriteAllBytes(entries[1], whole[..(whole.Length / 2)]);
        File.WriteAllBytes(entries[2], []);
        byte[] flipped = File.ReadAllBytes(entries[3]);
        flipped[60] ^= 1;
        File.WriteAllBytes(entries[3], flipped);
        File.Copy(entries[5], entries[4], overwrite: true);                  // another image's

        var warnings = new ConcurrentQueue<string>();
        ml.Log += (_, e) => { if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning) warnings.Enqueue(e.Message); };
        Assert.Equal(first, Run());
        Assert.Equal(photos.Rows.Count - 5, last!.FromStore);
        foreach (string damaged in entries[1..5]) Assert.Contains(warnings, w => w.Contains($"{damaged} cannot be used", StringComparison.Ordinal));
        Assert.Equal(whole, File.ReadAllBytes(entries[1]));
        Assert.Equal(first, Run());
        Assert.Equal(photos.Rows.Count, last.FromStore);
    }

    [Fact]
    public void Two_runs_at_once_share_a_store()
    {
        byte[][][] results = new byte[4][][];
        Parallel.For(0, results.Length, new() { MaxDegreeOfParallelism = results.Length }, i => results[i] = Run());
        Assert.All(results, masks => Assert.Equal(results[0], masks));
        Assert.Equal(photos.Rows.Count, Entries.Length);
        Assert.Empty(Directory.GetFiles(Store, "*.tmp", SearchOption.AllDirectories));
    }

    [Fact]
    public void Cancelling_stops_and_keeps_what_is_done()
    {
        using var source = new CancellationTokenSource();
        var failure = Assert.ThrowsAny<Exception>(() => Run(o =>
        {
            o.CancellationToken = source.Token;
            o.Progress = new Callback(p => { if (p.Images == 2) source.Cancel(); });
        }));
        Assert.Contains(nameof(OperationCanceledException), failure.ToString());
        Assert.Equal(2, Entries.Length);
        Run();
        Assert.Equal(2, last!.FromStore);
    }

    [Fact]
    public void The_store_gives_back_every_record()
    {
        using var model = TinySam.Model();
        var image = TinySam.Photo();
        var found = new SamMaskGenerator(model, TinySam.Generator()).Generate(image);
        var store = new SamMaskStore(Store, [1, 2, 3], TinySam.Generator());
        Assert.Null(store.Read(store.Key(image), out string? fault));
        Assert.Null(fault);
        store.Write(store.Key(image), found);
        var kept = store.Read(store.Key(image), out fault)!;
        Assert.Null(fault);
        Assert.Equal(found.Masks, kept.Masks);
        Assert.Equal(found.Records, kept.Records);
        Assert.NotEqual(store.Key(image), store.Key(TinySam.Photo(number: 1)));
        Assert.NotEqual(store.Key(image), new SamMaskStore(Store, [1, 2, 4], TinySam.Generator()).Key(image));
        Assert.NotEqual(store.Key(image), store.Key(new(image.Width, image.Height, image.Pixels)));
    }

    [Fact]
    public void Images_that_cannot_be_segmented_are_errors_or_have_no_masks()
    {
        byte[] elongated = new RgbImage(1, 300, new byte[900]).ToPng();
        photos.Rows[1].Encoded = elongated;
        photos.Rows[2].Encoded = [1, 2, 3];
        var data = photos.Load(ml);
        using var strict = new SamMasksEstimator(ml, Options(o => (o.InputColumnName, o.OnUnreadableImage) = ("Encoded", UnreadableImage.Throw))).Fit(data);
        string error = Assert.ThrowsAny<Exception>(() => strict.Transform(data).GetColumn<byte[]>("Masks").ToArray()).ToString();
        Assert.Contains("Row 1, column 'Encoded': An image of 300x1 cannot be segmented", error);

        using var lenient = new SamMasksEstimator(ml, Options(o => o.InputColumnName = "Encoded")).Fit(data);
        byte[][] masks = [.. lenient.Transform(data).GetColumn<byte[]>("Masks")];
        Assert.Equal([1, 2], Enumerable.Range(0, masks.Length).Where(i => masks[i].Length == 0));
    }

    [Fact]
    public void Faults_are_found_before_any_image_is_read()
    {
        var data = photos.Load(ml);
        Assert.Contains("'Nowhere'", Assert.Throws<ArgumentException>(() => ml.SelfSupervised().SamMasks("Masks", "Nowhere", checkpoint).Fit(data)).Message);
        Assert.Throws<FileNotFoundException>(() => ml.SelfSupervised().SamMasks("Masks", "ImagePath", "nowhere.pth").Fit(data));
        string foreign = folder.Write("foreign.pth", [.. "not weights"u8]);
        Assert.Throws<InvalidDataException>(() => ml.SelfSupervised().SamMasks("Masks", "ImagePath", foreign).Fit(data));
        var bad = Assert.Throws<ArgumentException>(() => ml.SelfSupervised().SamMasks("Masks", "ImagePath", "", new() { PointsPerSide = 0, BoxNmsThreshold = 2 }));
        Assert.Contains("CheckpointPath", bad.Message);
        Assert.Contains("Generator.PointsPerSide is 0; it must lie in [1, 1024]", bad.Message);
        Assert.Contains("Generator.BoxNmsThreshold is 2", bad.Message);
        var noPoints = new SamMaskGeneratorOptions { PointsPerSide = 4, CropLayers = 2, CropPointsDownscaleFactor = 4 };
        Assert.Contains("leaves no points in layer 2", Assert.Throws<ArgumentException>(() => ml.SelfSupervised().SamMasks("Masks", "ImagePath", checkpoint, noPoints)).Message);
    }

    [Fact]
    public void It_fits_in_a_pipeline_and_refuses_to_be_saved()
    {
        var data = photos.Load(ml);
        var pipeline = ml.SelfSupervised().SamMasks(Options(_ => { })).Append(ml.Transforms.CopyColumns("Copy", "Masks"));
        using var model = pipeline.Fit(data);
        Assert.All(model.Transform(data).GetColumn<byte[]>("Copy"), masks => Assert.NotEmpty(masks));
        Assert.Contains("SaveAsBinary", Assert.ThrowsAny<Exception>(() => ml.Model.Save(model, data.Schema, new MemoryStream())).ToString());
    }

    private byte[][] Run(Action<SamMasksOptions>? change = null)
    {
        var data = photos.Load(ml);
        using var model = ml.SelfSupervised().SamMasks(Options(o =>
        {
            o.StoreFolder = Store;
            change?.Invoke(o);
        })).Fit(data);
        return [.. model.Transform(data).GetColumn<byte[]>("Masks")];
    }

    private SamMasksOptions Options(Action<SamMasksOptions> change)
    {
        var options = new SamMasksOptions
        {
            CheckpointPath = checkpoint, DecoderHeads = TinySam.Architecture().DecoderHeads, Generator = TinySam.Generator(), Device = ComputeDevice.Cpu,
            Progress = new Callback(p => last = p),
        };
        change(options);
        return options;
    }

    public void Dispose()
    {
        photos.Dispose();
        folder.Dispose();
    }

    private sealed class Callback(Action<SamMasksProgress> report) : IProgress<SamMasksProgress>
    {
        public void Report(SamMasksProgress value) => report(value);
    }
}
