using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>MAE pretraining as the estimator runs it, and what comes of it.</summary>
public sealed class MaeEstimatorTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    private readonly MLContext ml = new(1);

    [Fact]
    public void A_run_learns_and_gives_an_encoder_that_pools_the_mean()
    {
        var options = TinyTraining.Mae().With(o => (o.Epochs, o.LearningRate, o.BatchSize) = (30, 0.3, 10));
        using var model = ml.SelfSupervised().Mae(options).Fit(scenes.Load(ml));
        Assert.True(model.Report.Losses.TakeLast(5).Average() < 0.9 * model.Report.Losses.Take(3).Average(),
            $"from {model.Report.Losses[0]} to {model.Report.Losses[^1]}");
        Assert.Equal("MAE", model.Report.Phase);
        var architecture = model.Encoder.Model.Options;
        Assert.Equal((FeaturePooling.Mean, PositionKind.SinCos, 0), (architecture.Pooling, architecture.Positions, architecture.DropPath));
        Assert.NotNull(model.Encoder.Decoder);
        Assert.False(model.Encoder.Model.training || model.Encoder.Decoder.training);
        Assert.All(model.Transform(scenes.Load(ml)).GetColumn<float[]>("Features"), f => Assert.Equal(24, f.Length));
        Assert.Contains("WarmupEpochs is 3, not 40: at most 10% of 30 epochs.", model.Report.Adjustments);
    }

    [Fact]
    public void Masks_guide_the_encoder_and_alpha_moves()
    {
        var options = TinyTraining.MaskedMae().With(o => (o.Epochs, o.MaskBias.InitialValue) = (4, 0.5));
        using var model = ml.SelfSupervised().Mae(options).Fit(scenes.LoadWithMasks(ml));
        Assert.True(model.Encoder.Model.IsMaskGuided);
        Assert.All(model.Encoder.Model.BiasValues().SelectMany(b => b.Alpha!), a => Assert.NotEqual(0.5f, a));
        using var plain = ml.SelfSupervised().Mae(TinyTraining.Mae().With(o => o.Epochs = 4)).Fit(scenes.Load(ml));
        Assert.NotEqual(plain.Report.Losses, model.Report.Losses);
    }

    [Fact]
    public void No_masks_in_any_image_gives_the_plain_run_to_the_bit()
    {
        var rows = scenes.Rows();
        for (int i = 0; i < rows.Count; i++) rows[i].Masks = i % 2 == 0 ? [] : MaskSet.Empty(SceneFolder.Side, SceneFolder.Side).Encode();
        using var masked = ml.SelfSupervised().Mae(TinyTraining.MaskedMae().With(o => o.Epochs = 3)).Fit(ml.Data.LoadFromEnumerable(rows));
        using var plain = ml.SelfSupervised().Mae(TinyTraining.Mae().With(o => o.Epochs = 3)).Fit(scenes.Load(ml));
        Assert.Equal(plain.Report.Losses, masked.Report.Losses);
        var weights = TinyTraining.Weights(masked.Encoder);
        foreach (string name in weights.Keys.Where(k => k.Contains("mask_alpha", StringComparison.Ordinal)).ToList()) weights.Remove(name);
        TinyTraining.AssertSame(TinyTraining.Weights(plain.Encoder), weights);
    }

    [Fact]
    public void The_seed_alone_decides_not_the_threads()
    {
        var first = Train(seed: 7, threads: 1);
        TinyTraining.AssertSame(first, Train(seed: 7, threads: 3));
        Assert.NotEqual(first["backbone.cls_token"], Train(seed: 8, threads: 1)["backbone.cls_token"]);

        Dictionary<string, float[]> Train(int seed, int threads)
        {
            var options = TinyTraining.MaskedMae().With(o => (o.Seed, o.LoaderThreads, o.Epochs, o.BatchSize) = (seed, threads, 3, 4));
            (options.AccumulationSteps, options.MaskBlockSize, options.MaskRatio) = (2, 2, 0.5);
            using var model = ml.SelfSupervised().Mae(options).Fit(scenes.LoadWithMasks(ml));
            return TinyTraining.Weights(model.Encoder);
        }
    }

    [Fact]
    public void A_plain_encoder_is_saved_exported_and_distilled_and_a_guided_one_refuses_the_first_two()
    {
        using var folder = new TempFolder();
        using var plain = ml.SelfSupervised().Mae(TinyTraining.Mae()).Fit(scenes.Load(ml));
        var data = scenes.Load(ml);
        var expected = plain.Transform(data).GetColumn<float[]>("Features").ToList();
        string zip = Path.Combine(folder.Path, "model.zip");
        ml.Model.Save(plain, data.Schema, zip);
        var loaded = ml.Model.Load(zip, out _);
        var actual = loaded.Transform(data).GetColumn<float[]>("Features").ToList();
        Assert.All(Pairs.Of(expected, actual), pair => Assert.True(Pairs.Of(pair.First, pair.Second).Max(p => Math.Abs(p.First - p.Second)) < 1e-4));
        (loaded as IDisposable)?.Dispose();
        Assert.NotEmpty(OnnxEncoder.Export(plain.Encoder));
        var embedded = ml.SelfSupervised().EmbedImages("Own", "ImagePath", plain.Encoder).Fit(data).Transform(data);
        Assert.Equal(expected, embedded.GetColumn<float[]>("Own"));

        using var guided = ml.SelfSupervised().Mae(TinyTraining.MaskedMae()).Fit(scenes.LoadWithMasks(ml));
        Assert.Throws<InvalidOperationException>(() => OnnxEncoder.Export(guided.Encoder));
        Assert.ThrowsAny<Exception>(() => ml.Model.Save(guided, scenes.LoadWithMasks(ml).Schema, Path.Combine(folder.Path, "no.zip")));
    }

    [Fact]
    public void Reconstructions_show_known_patches_as_they_are_and_survive_a_checkpoint()
    {
        using var folder = new TempFolder();
        var data = scenes.LoadWithMasks(ml);
        using var model = ml.SelfSupervised().Mae(TinyTraining.MaskedMae().With(o => o.MaskBias.InitialValue = 2)).Fit(data);
        var pictures = model.Reconstruct(data, count: 3);
        Assert.Equal(3, pictures.Count);
        foreach (var picture in pictures)
        {
            Assert.Equal((32, 32), (picture.Input.Width, picture.Masked.Height));
            int grey = 0;
            for (int patch = 0; patch < 16; patch++)
            {
                byte[] input = Patch(picture.Input, patch), masked = Patch(picture.Masked, patch);
                byte[] drawn = Patch(picture.Reconstructed, patch);
                if (masked.All(b => b == 128))
                {
                    grey++;
                    Assert.NotEqual(masked, drawn);
                }
                else Assert.True(input.SequenceEqual(masked) && input.SequenceEqual(drawn));
            }
            Assert.Equal(12, grey);
            Assert.Equal((32, 3 * 32 + 8), (picture.SideBySide().Height, picture.SideBySide().Width));
            var png = ImageDecoder.Decode(picture.ToPng(), "png");
            Assert.Equal(picture.SideBySide().Pixels, png.Pixels);
        }
        Assert.Equal(10, model.Reconstruct(data, count: 50).Count);

        EncoderCheckpoint.Save(model.Encoder, folder.Path);
        using var loaded = EncoderCheckpoint.Load(folder.Path);
        var (image, masks) = (ImageDecoder.Decode(File.ReadAllBytes(scenes.Files[0]), "scene"), SceneFolder.Halves(32, 32));
        var again = new MaeReconstructor(loaded).Reconstruct(image, masks);
        Assert.Equal(pictures[0].Reconstructed.Pixels, again.Reconstructed.Pixels);
        Assert.NotEqual(again.Reconstructed.Pixels, new MaeReconstructor(loaded).Reconstruct(image).Reconstructed.Pixels);
        Assert.NotEqual(again.Masked.Pixels, new MaeReconstructor(loaded).Reconstruct(image, masks, seed: 1).Masked.Pixels);
    }

    [Fact]
    public void Reconstructions_of_normalised_pixels_are_pictures_too()
    {
        var options = TinyTraining.Mae().With(o => (o.Decoder.NormalizePixels, o.Epochs) = (true, 2));
        using var model = ml.SelfSupervised().Mae(options).Fit(scenes.Load(ml));
        var flat = new RgbImage(40, 50, [.. Enumerable.Repeat((byte)90, 40 * 50 * 3)]);
        var picture = model.Reconstruct(flat);
        Assert.InRange(picture.Reconstructed.Pixels.Average(value => value), 70, 110);
        Assert.True(picture.Reconstructed.Pixels.Max() < 170);         // the patch's own mean and deviation are put back
    }

    [Fact]
    public void What_cannot_be_reconstructed_says_why()
    {
        using var headless = TinyTraining.Teacher();
        Assert.Contains("The encoder has no decoder", Assert.Throws<ArgumentException>(() => new MaeReconstructor(headless)).Message);
        using var model = ml.SelfSupervised().Mae(TinyTraining.Mae()).Fit(scenes.Load(ml));
        Assert.Contains("MaskBlockSize is 3; it must divide the 4 patches",
            Assert.Throws<ArgumentException>(() => new MaeReconstructor(model.Encoder, new() { MaskBlockSize = 3 })).Message);
        Assert.Contains("MaskRatio is 0.99; of 16 blocks",
            Assert.Throws<ArgumentException>(() => new MaeReconstructor(model.Encoder, new() { MaskRatio = 0.99 })).Message);
        var image = new RgbImage(32, 32, new byte[32 * 32 * 3]);
        Assert.Contains("it takes no masks",
            Assert.Throws<ArgumentException>(() => model.Reconstruct(image, SceneFolder.Halves(32, 32))).Message);
        var numbers = ml.Data.LoadFromEnumerable([new { A = 1f }]);
        Assert.Contains("no column 'ImagePath'", Assert.Throws<ArgumentException>(() => model.Reconstruct(numbers)).Message);

        using var guided = ml.SelfSupervised().Mae(TinyTraining.MaskedMae()).Fit(scenes.LoadWithMasks(ml));
        var rows = scenes.Rows();
        rows[1].Masks = SceneFolder.Halves(20, 30).Encode();
        Assert.Contains("Row 1, column 'Masks': The masks are 30x20 pixels, the image is 32x32",
            Assert.Throws<InvalidDataException>(() => guided.Reconstruct(ml.Data.LoadFromEnumerable(rows))).Message);
    }

    [Fact]
    public void The_short_form_names_the_columns_and_runs_report_as_DINOs_do()
    {
        Assert.Contains("There is no column 'Photo'",
            Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Mae("Photo").Fit(scenes.Load(ml))).Message);
        Assert.Contains("There is no column 'M' to read masks",
            Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Mae("ImagePath", "M").Fit(scenes.Load(ml))).Message);
        // a learning rate times weight decay far above 1 makes every weight explode
        var options = TinyTraining.Mae().With(o => (o.Epochs, o.LearningRate, o.WeightDecay, o.FinalWeightDecay) = (20, 1000, 10, 10));
        var error = Assert.Throws<TrainingDivergedException>(() => ml.SelfSupervised().Mae(options).Fit(scenes.Load(ml)));
        Assert.StartsWith("MAE diverged: the ", error.Message);
        Assert.EndsWith(" or set ClipGradient.", error.Message);          // which is 0
    }

    private static byte[] Patch(RgbImage image, int patch)
    {
        int top = patch / 4 * 8, left = patch % 4 * 8;
        return [.. Enumerable.Range(top, 8).SelectMany(y => image.Pixels.Skip(3 * (y * image.Width + left)).Take(24))];
    }
}
