using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks.Sam;
using MaskBias.MLNet.Masks.Sam.Generation;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Masks.Sam;

/// <summary>Checkpoints, presets and the handling of bad input and memory.</summary>
[Collection(nameof(LiveTensors))]
public sealed class SamModelTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public void Checkpoints_round_trip()
    {
        using var scope = NewDisposeScope();
        using var model = TinySam.Model();
        using var loaded = SamModel.Load(TinySam.Save(folder), TinySam.Architecture().DecoderHeads);
        Assert.Equivalent(TinySam.Architecture(), loaded.Options, strict: true);
        var expected = model.state_dict();
        foreach (var (name, tensor) in loaded.state_dict()) Assert.Equal(0, Near.Difference(expected[name], tensor));
    }

    // 93.7, 312.3 and 641.1 million weights (Kirillov et al.): what the published files hold.
    [Theory]
    [InlineData(nameof(SamOptions.Base), 93.7)]
    [InlineData(nameof(SamOptions.Large), 312.3)]
    [InlineData(nameof(SamOptions.Huge), 641.1)]
    public void Presets_have_the_published_sizes(string name, double millions)
    {
        var options = name == nameof(SamOptions.Base) ? SamOptions.Base() : name == nameof(SamOptions.Large) ? SamOptions.Large() : SamOptions.Huge();
        using var model = WeightLayers.WithoutStartValues(() => new SamModel(options));     // memory that is never touched
        Assert.Equal(millions, Math.Round(model.parameters().Sum(p => p.NumberOfElements) / 1e6, 1));
        Assert.InRange(options.EstimateParameters() / 1e6, 0.9 * millions, millions);
    }

    [Fact]
    public void Missing_extra_and_misshapen_tensors_are_listed()
    {
        using var scope = NewDisposeScope();
        using var model = TinySam.Model();
        var weights = model.state_dict().ToDictionary(w => w.Key, w => w.Value);
        weights.Remove("image_encoder.blocks.0.norm1.weight");
        weights.Remove("mask_decoder.iou_token.weight");
        weights["mask_decoder.extra.weight"] = zeros(3);
        weights["image_encoder.neck.1.bias"] = zeros(5);
        string message = Assert.Throws<InvalidDataException>(() => SamModel.Load(Save(weights), 2)).Message;
        Assert.Contains("image_encoder.blocks.0.norm1.weight [16] is missing", message);
        Assert.Contains("mask_decoder.iou_token.weight [1, 32] is missing", message);
        Assert.Contains("mask_decoder.extra.weight [3] is unexpected", message);
        Assert.Contains("image_encoder.neck.1.bias is [5]; it must be [32]", message);

        weights.Remove("image_encoder.pos_embed");
        Assert.Contains("image_encoder.pos_embed is missing", Assert.Throws<InvalidDataException>(() => SamModel.Load(Save(weights), 2)).Message);
    }

    [Fact]
    public void Foreign_truncated_and_absurd_checkpoints_are_refused()
    {
        string good = TinySam.Save(folder);
        byte[] bytes = File.ReadAllBytes(good);
        Assert.Throws<InvalidDataException>(() => SamModel.Load(folder.Write("short.safetensors", bytes[..(bytes.Length / 2)]), 2));
        Assert.Throws<FileNotFoundException>(() => SamModel.Load(Path.Combine(folder.Path, "nowhere.pth")));
        Assert.Contains("DecoderHeads is 5", Assert.Throws<InvalidDataException>(() => SamModel.Load(good, 5)).Message);

        using var scope = NewDisposeScope();
        var foreign = new Dictionary<string, Tensor> { ["cls_token"] = zeros(1, 1, 8), ["pos_embed"] = zeros(1, 5, 8) };
        Assert.Contains("not a checkpoint of Segment Anything: none of its 2 tensors", Assert.Throws<InvalidDataException>(() => SamModel.Load(Save(foreign))).Message);

        using var model = TinySam.Model();
        var huge = model.state_dict().ToDictionary(w => w.Key, w => w.Value);
        huge["image_encoder.pos_embed"] = zeros(1, 8, 8, 8192);
        huge["image_encoder.blocks.0.attn.rel_pos_h"] = zeros(5, 64);
        Assert.Contains("their shapes describe a model of about", Assert.Throws<InvalidDataException>(() => SamModel.Load(Save(huge), 2)).Message);

        // Bytes are no weights.
        huge["image_encoder.pos_embed"] = zeros(1, 8, 8, 512);
        huge["padding"] = zeros(1 << 22, dtype: ScalarType.Byte);
        Assert.Contains("their shapes describe a model of about", Assert.Throws<InvalidDataException>(() => SamModel.Load(Save(huge), 2)).Message);

        // Names from which there must be many layers, which a table of relative positions makes large.
        foreach (var (name, missing) in new[]
                 {
                     ("image_encoder.blocks.60.x", "image_encoder.blocks.2.attn.rel_pos_h"),
                     ("mask_decoder.transformer.layers.60.x", "mask_decoder.transformer.layers.1.mlp.lin1.weight"),
                     ("mask_decoder.iou_prediction_head.layers.60.x", "mask_decoder.iou_prediction_head.layers.3.weight"),
                 })
        {
            var deep = model.state_dict().ToDictionary(w => w.Key, w => w.Value);
            deep[name] = zeros(1);
            deep["image_encoder.blocks.0.attn.rel_pos_h"] = zeros(8191, 8);
            Assert.Contains($"{missing} is missing", Assert.Throws<InvalidDataException>(() => SamModel.Load(Save(deep), 2)).Message);
        }
    }

    [Fact]
    public void No_part_of_a_model_is_left_out_of_its_size()
    {
        Action<SamOptions>[] changes =
        [
            o => o.WindowSize = 3000, o => (o.ImageSize, o.PatchSize) = (1024, 1), o => o.PromptDim = 1024, o => o.MaskPromptDim = 2048,
            o => (o.IouHeadDim, o.IouHeadDepth) = (2048, 2), o => (o.IouHeadDim, o.IouHeadDepth) = (2048, 4), o => o.MlpDim = 20_000,
            o => o.DecoderMlpDim = 20_000, o => o.EmbedDim = 512,
        ];
        foreach (var change in changes)
        {
            var options = TinySam.Architecture();
            change(options);
            using var model = WeightLayers.WithoutStartValues(() => new SamModel(options));
            long weights = model.parameters().Sum(p => p.NumberOfElements);
            Assert.InRange(options.EstimateParameters(), 0.95 * weights, weights);
        }
    }

    [Fact]
    public void Published_pth_files_that_end_early_are_refused()
    {
        byte[] bytes = File.ReadAllBytes(Fixtures.Path("sam_model/sam.pth"));
        foreach (double share in new[] { 0.001, 0.5, 0.999 })
            Assert.Throws<InvalidDataException>(() => SamModel.Load(folder.Write("cut.pth", bytes[..(int)(bytes.Length * share)]), 4));
    }

    [Fact]
    public void Absurd_images_and_prompts_are_refused()
    {
        using var model = TinySam.Model();
        using var predictor = new SamPredictor(model);
        Assert.Contains("SetImage", Assert.Throws<InvalidOperationException>(() => predictor.Predict(new() { Points = [new(1, 1)] })).Message);
        Assert.Contains("1000x2 cannot be segmented", Assert.Throws<ArgumentException>(() => predictor.SetImage(new(2, 1000, new byte[6000]))).Message);
        Assert.Contains("70000x1", Assert.Throws<ArgumentException>(() => predictor.SetImage(new(1, 70000, new byte[210000]))).Message);
        predictor.SetImage(TinySam.Photo());
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => predictor.Predict(new())).Message);
        Assert.Contains("32x32", Assert.Throws<ArgumentException>(() => predictor.Predict(new() { Mask = new float[7] })).Message);
    }

    [Fact]
    public void Any_prompt_is_answered_and_a_mask_alone_too()
    {
        using var model = TinySam.Model();
        using var predictor = new SamPredictor(model);
        predictor.SetImage(TinySam.Photo());
        var answer = predictor.Predict(new() { Points = [new(3, 4), new(30, 20, IsForeground: false)], Box = new(2, 2, 40, 30) });
        Assert.Equal((3, 40, 48), (answer.Masks.Count, answer.Masks.Height, answer.Masks.Width));
        Assert.Equal(1, predictor.Predict(new() { Mask = answer.Logits[answer.Best] }, multimask: false).Masks.Count);
    }

    [Fact]
    public void Nothing_native_is_left_behind()
    {
        using var model = TinySam.Model();
        var generator = new SamMaskGenerator(model, new() { PointsPerSide = 3, PredictedIouThreshold = 0, StabilityScoreThreshold = 0, CropLayers = 1, MinMaskRegionArea = 5 });
        Use();
        long before = LiveTensors.OfThisThread;
        for (int i = 0; i < 5; i++) Use();
        Assert.Equal(before, LiveTensors.OfThisThread);

        void Use()
        {
            generator.Generate(TinySam.Photo());
            using var predictor = new SamPredictor(model);
            predictor.SetImage(TinySam.Photo());
            predictor.SetImage(TinySam.Photo(1));
            predictor.Predict(new() { Points = [new(5, 5)], Box = new(1, 1, 9, 9) });
        }
    }

    [Theory]
    [InlineData(40, 40, 4)]
    [InlineData(60, 60, 4)]
    [InlineData(5, 90, 3)]
    public void Crops_of_tiny_images_are_never_empty_and_cover_them(int height, int width, int layers)
    {
        var crops = Crop.Layers(height, width, layers, new SamMaskGeneratorOptions().CropOverlapRatio);
        Assert.All(crops, c => Assert.True(c.Box is { Width: > 0, Height: > 0 } && c.Box.Right <= width && c.Box.Bottom <= height, $"{c}"));
        for (int layer = 1; layer <= layers; layer++)
            Assert.Equal((width, height), (crops.Where(c => c.Layer == layer).Max(c => c.Box.Right), crops.Where(c => c.Layer == layer).Max(c => c.Box.Bottom)));
    }

    [Fact]
    public void Tiny_images_are_segmented_in_deep_crops()
    {
        using var model = TinySam.Model();
        var generator = new SamMaskGenerator(model, new() { PointsPerSide = 1, PredictedIouThreshold = 0, StabilityScoreThreshold = 0, CropLayers = 3 });
        var found = generator.Generate(new(20, 20, new byte[20 * 20 * 3]));
        Assert.Equal((20, 20), (found.Masks.Height, found.Masks.Width));
    }

    [Fact]
    public void Generation_is_reported_and_can_be_cancelled()
    {
        using var model = TinySam.Model();
        using var source = new CancellationTokenSource();
        var reports = new List<SamGenerationProgress>();
        var options = new SamMaskGeneratorOptions { PointsPerSide = 4, PointsPerBatch = 6, CropLayers = 1, CropPointsDownscaleFactor = 2 };
        new SamMaskGenerator(model, options).Generate(TinySam.Photo(), new Callback(reports.Add));
        Assert.Equal([6, 12, 16, 20, 24, 28, 32], reports.Select(r => r.Points));
        Assert.All(reports, r => Assert.Equal(32, r.TotalPoints));
        Assert.Throws<OperationCanceledException>(() =>
            new SamMaskGenerator(model, options).Generate(TinySam.Photo(), new Callback(_ => source.Cancel()), source.Token));
    }

    [Fact]
    public void Regions_that_meet_at_a_corner_are_one()
    {
        byte[] bitmap =
        [
            1, 0, 0, 0, 0, 1,
            0, 1, 0, 0, 0, 1,
            0, 0, 1, 1, 0, 0,
        ];
        Assert.True(SmallRegions.RemoveIslands(bitmap, 3, 6, area: 3));
        Assert.Equal([1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0], bitmap);
        Assert.False(SmallRegions.RemoveIslands(bitmap, 3, 6, area: 3));
        Assert.True(SmallRegions.RemoveIslands(bitmap, 3, 6, area: 100));       // all are small: the largest stays
        Assert.Equal(4, bitmap.Sum(b => b));
    }

    private string Save(IEnumerable<KeyValuePair<string, Tensor>> weights)
    {
        string path = Path.Combine(folder.Path, Path.GetRandomFileName());
        SafetensorsWriter.Write(path, weights, new Dictionary<string, string>());
        return path;
    }

    public void Dispose() => folder.Dispose();

    private sealed class Callback(Action<SamGenerationProgress> report) : IProgress<SamGenerationProgress>
    {
        public void Report(SamGenerationProgress value) => report(value);
    }
}
