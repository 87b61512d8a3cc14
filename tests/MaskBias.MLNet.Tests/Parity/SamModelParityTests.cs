using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks.Sam;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>Segment Anything's encoder, prompts and decoder against the published code.</summary>
[Trait("Category", "Parity")]
public sealed class SamModelParityTests : IDisposable
{
    private const double EmbeddingTolerance = 2e-5, LogitsTolerance = 2e-5, MaskPromptTolerance = 5e-5, IouTolerance = 1e-5;

    private readonly ReferenceCase fixture = new("sam_model");

    [Theory]
    [InlineData("sam.safetensors")]
    [InlineData("sam.pth")]
    public void The_architecture_is_found(string file)
    {
        using var model = SamReference.Load(fixture, file);
        Assert.Equivalent(SamReference.Architecture(fixture), model.Options, strict: true);
    }

    [Theory]
    [InlineData("sam.safetensors")]
    [InlineData("sam.pth")]
    public void Image_embeddings_match(string file)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        using var model = SamReference.Load(fixture, file);
        var image = SamReference.Image(fixture, "io", "input.image_hwc");
        var frame = new ImageFrame(image.Height, image.Width, model.Options.ImageSize);
        var resized = PillowResizer.Resize(image, frame.ResizedHeight, frame.ResizedWidth);
        Assert.Equal(fixture.Read("io", "output.resized_hwc").bytes.ToArray(), resized.Pixels);

        var prepared = model.Prepare(SamPredictor.ToTensor(resized));
        var every8th = TensorIndex.Slice(step: 8);
        Near.Equal(fixture.Read("io", "output.preprocessed_every_8th"), prepared[.., .., every8th, every8th], 1e-6, "preprocessed");
        var map = model.ImageEncoder.Tokens(prepared);
        int i = 0;
        foreach (var block in model.ImageEncoder.Blocks)
        {
            map = block.forward(map);
            if (fixture.File_("io").Contains($"output.block{i}"))
                Near.Equal(fixture.Read("io", $"output.block{i}"), map, EmbeddingTolerance, $"block {i}");
            i++;
        }
        Near.Equal(fixture.Read("io", "output.image_embedding"), model.ImageEncoder.Neck(map), EmbeddingTolerance, "embedding");
        Near.Equal(fixture.Read("io", "output.image_embedding"), model.Embed(prepared), EmbeddingTolerance, "embedding in one go");
        Near.Equal(fixture.Read("io", "output.dense_pe"), model.PromptEncoder.ImagePositions(), EmbeddingTolerance, "positions");
    }

    [Theory]
    [InlineData("points", 1, true, false, false)]
    [InlineData("two_points", 2, false, false, false)]
    [InlineData("box", 0, false, true, false)]
    [InlineData("point_and_box", 1, false, true, false)]
    [InlineData("point_and_mask", 1, false, false, true)]
    [InlineData("padding_label", 3, false, false, false)]
    public void Every_kind_of_prompt_matches(string prompt, int count, bool batched, bool withBox, bool withMask)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        using var model = SamReference.Load(fixture);
        using var predictor = new SamPredictor(model);
        predictor.SetImage(SamReference.Image(fixture, "io", "input.image_hwc"));

        double[] flat = fixture.Doubles("io", "input.points");
        var all = predictor.Coordinates(Enumerable.Range(0, flat.Length / 2).Select(i => (flat[2 * i], flat[2 * i + 1])));
        Near.Equal(fixture.Read("io", "input.points_model_frame"), all, 1e-5, "points in the model's frame");
        Tensor? points = null, labels = null, boxes = null, masks = null;
        if (batched) (points, labels) = (all.unsqueeze(1), fixture.Read("io", "input.labels").unsqueeze(1));
        else if (count > 0) (points, labels) = (all[..count].unsqueeze(0), fixture.Read("io", "input.labels")[..count].unsqueeze(0));
        if (prompt == "padding_label") labels = tensor((int[])[1, -1, 0]).unsqueeze(0);
        if (withBox)
        {
            double[] corners = fixture.Doubles("io", "input.box");
            boxes = predictor.Coordinates([(corners[0], corners[1]), (corners[2], corners[3])]).view(1, 4);
            Near.Equal(fixture.Read("io", "input.box_model_frame"), boxes, 1e-5, "box in the model's frame");
        }
        if (withMask) masks = fixture.Read("io", "input.mask_lowres");

        Near.Equal(fixture.Read("io", $"{prompt}.sparse"), model.PromptEncoder.Sparse(points, labels, boxes), EmbeddingTolerance, "tokens");
        if (withMask) Near.Equal(fixture.Read("io", $"{prompt}.dense"), model.PromptEncoder.Dense(masks), EmbeddingTolerance, "map");
        foreach (bool multimask in new[] { true, false })
        {
            string name = $"{prompt}.{(multimask ? "multi" : "single")}";
            var (logits, iou) = predictor.PredictLogits(points, labels, boxes, masks, multimask);
            Near.Equal(fixture.Read("io", $"{name}.low_res"), logits, withMask ? MaskPromptTolerance : LogitsTolerance, name);
            Near.Equal(fixture.Read("io", $"{name}.iou"), iou, IouTolerance, $"{name} IoU");
            if (fixture.File_("io").Contains($"{name}.masks_logits_fullres"))
                Near.Equal(fixture.Read("io", $"{name}.masks_logits_fullres"), predictor.Frame.ToImage(logits), LogitsTolerance, $"{name} enlarged");
        }
    }

    [Fact]
    public void A_prediction_is_the_logits_above_zero()
    {
        using var scope = NewDisposeScope();
        using var model = SamReference.Load(fixture);
        using var predictor = new SamPredictor(model);
        predictor.SetImage(SamReference.Image(fixture, "io", "input.image_hwc"));
        double[] box = fixture.Doubles("io", "input.box");
        var answer = predictor.Predict(new() { Box = new(box[0], box[1], box[2], box[3]) }, multimask: false);

        var expected = fixture.Read("io", "box.single.masks_logits_fullres");
        Assert.Equal((expected.shape[2], expected.shape[3]), (answer.Masks.Height, answer.Masks.Width));
        byte[] covered = new byte[answer.Masks.Height * answer.Masks.Width];
        answer.Masks.CopyTo(0, covered);
        float[] logits = expected.data<float>().ToArray();
        int flipped = covered.Where((value, i) => value == 1 != logits[i] > 0).Count();
        Assert.InRange(flipped, 0, 2);                      // only where a logit is 0 but for rounding
        Near.Equal(fixture.Read("io", "box.single.iou").item<float>(), answer.PredictedIou[answer.Best], IouTolerance, "IoU");
        Near.Equal(fixture.Read("io", "box.single.low_res").flatten(), tensor(answer.Logits[0]), LogitsTolerance, "logits");

        var refined = predictor.Predict(new() { Points = [new(40, 60)], Mask = answer.Logits[0] });
        Assert.Equal(model.Options.MultimaskOutputs, refined.Masks.Count);
    }

    public void Dispose() => fixture.Dispose();
}
