using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>MAE's steps: what the bias does, what the encoder sees, what the loss counts.</summary>
public sealed class MaeMethodTests
{
    [Fact]
    public void Without_masks_the_loss_is_plain_MAEs_to_the_bit_and_with_zero_bias_within_1e_6()
    {
        using var scope = NewDisposeScope();
        using var batch = Batch(masks: true);
        double plain = Loss(TinyTraining.Mae(), batch, masks: false);
        Assert.Equal(plain, Loss(Guided(0), batch, masks: false));
        Assert.Equal(plain, Loss(Guided(3), batch, masks: false));
        Assert.Equal(plain, Loss(Guided(0), batch, masks: true), 1e-6);
        Assert.True(Math.Abs(plain - Loss(Guided(3), batch, masks: true)) > 1e-5);
    }

    [Theory]
    [InlineData(MaskRelation.Positive, RelationKind.Soft)]
    [InlineData(MaskRelation.Negative, RelationKind.Binary)]
    [InlineData(MaskRelation.Both, RelationKind.Cosine)]
    public void Relations_among_visible_patches_are_the_rows_and_columns_of_all(MaskRelation relation, RelationKind kind)
    {
        using var scope = NewDisposeScope();
        const int batch = 3, patches = 16, visible = 5;
        var tokens = rand(batch, 4, patches);
        var index = rand(batch, patches).argsort(1)[.., ..visible];
        var all = PatchRelations.From(tokens, relation, kind);
        var few = PatchRelations.From(tokens.gather(2, index.unsqueeze(1).expand(-1, 4, -1)), relation, kind);
        var seen = nn.functional.pad(index + 1, [1, 0]);
        foreach (var (whole, part) in new[] { (all.Positive, few.Positive), (all.Negative, few.Negative) })
        {
            Assert.Equal(whole is null, part is null);
            if (whole is null) continue;
            var rows = whole.gather(1, seen.unsqueeze(2).expand(-1, -1, patches + 1));
            var columns = rows.gather(2, seen.unsqueeze(1).expand(-1, visible + 1, -1));
            Near.Equal(columns, part!, kind == RelationKind.Cosine ? 1e-6 : 0, "relation");
        }
    }

    [Fact]
    public void The_encoder_sees_the_visible_patches_and_their_masks_alone()
    {
        using var scope = NewDisposeScope();
        using var model = Model(Guided(2));
        using var batch = Batch(masks: true);
        var (images, tokens) = (batch.Global.Images, batch.Global.MaskTokens!);
        var masking = new PatchMasker(4, 0.75, 1).From(rand(4, 16));
        var before = model.Encoder.ForwardVisible(images, masking.Visible, tokens);
        var hidden = ImagePatches.Join(masking.Hidden.unsqueeze(-1).expand(-1, -1, 192), 8);
        var otherTokens = (tokens + masking.Hidden.unsqueeze(1)).clamp(0, 1);
        Near.Equal(before, model.Encoder.ForwardVisible(images + 9 * hidden, masking.Visible, otherTokens), 1e-6, "tokens");

        // every patch visible, in order: the whole encoder
        var everything = arange(16).expand(4, 16);
        var all = model.Encoder.ForwardVisible(images, everything, tokens);
        Near.Equal(model.Encoder.ForwardTokens(images, tokens), all, 1e-6, "all tokens");
    }

    [Fact]
    public void Only_hidden_patches_count()
    {
        using var scope = NewDisposeScope();
        var images = randn(2, 3, 32, 32);
        var masking = new PatchMasker(4, 0.75, 1).From(rand(2, 16));
        var target = ImagePatches.Cut(images, 8);
        var predicted = where(masking.Hidden.unsqueeze(-1) == 1, target + 2, target - 100);
        Assert.Equal(4, MaeLoss.Forward(images, predicted, masking.Hidden, 8, normalizePixels: false).ToDouble(), 1e-4);
        Near.Equal(images, ImagePatches.Join(target, 8), 0, "cut and joined");
    }

    [Fact]
    public void Constant_patches_have_a_finite_loss_with_normalised_pixels()
    {
        using var scope = NewDisposeScope();
        using var model = Model(TinyTraining.Mae().With(o => o.Decoder.NormalizePixels = true));
        var images = full([4, 3, 32, 32], 0.7).requires_grad_();
        Near.Equal(zeros(4, 16, 192), ImagePatches.Normalize(ImagePatches.Cut(images, 8)), 1e-2, "target");
        var loss = model.Loss(new ViewBatch(new(1, images, null), null), default);
        loss.backward();
        Assert.True(float.IsFinite(loss.ToSingle()));
        var gradients = model.Parameters.Select(p => p.Parameter.grad).OfType<Tensor>();
        Assert.All(gradients, gradient => Assert.True(gradient.isfinite().all().ToBoolean()));
    }

    [Fact]
    public void Alpha_trains_from_the_start_unless_frozen_and_positions_never_do()
    {
        using var scope = NewDisposeScope();
        using var batch = Batch(masks: true);
        foreach (int freeze in new[] { 0, 1 })
        {
            using var model = Model(Guided(0.5).With(o => o.FreezeBiasEpochs = freeze));
            var start = TinyTraining.Values(model.Encoder.PositionEmbedding(32, 32));
            var plan = Plan(epochs: 2, parts: 1);
            using var loop = new TrainingLoop<ViewBatch>(plan, model);
            loop.Run(next =>
            {
                bool moved = model.Encoder.BiasValues()[0].Alpha!.All(a => a != 0.5f);
                if (next.Epoch == 1) Assert.Equal(freeze == 0, moved);
                return [Batch(masks: true), Batch(masks: true)];
            });
            Assert.All(model.Encoder.BiasValues()[0].Alpha!, a => Assert.NotEqual(0.5f, a));
            Assert.Equal(start, TinyTraining.Values(model.Encoder.PositionEmbedding(32, 32)));
            Assert.Contains(model.Parameters, p => p.Name == "pos_embed" && !p.Parameter.requires_grad);
            Assert.Contains(model.Parameters, p => p.Name == "decoder_pos_embed" && !p.Parameter.requires_grad);
        }
    }

    [Fact]
    public void Weights_start_as_MAEs_do()
    {
        using var scope = NewDisposeScope();
        using var model = Model(TinyTraining.Mae().With(o => (o.Encoder.EmbedDim, o.Encoder.Heads) = (96, 4)));
        var weights = model.Parameters.ToDictionary(p => p.Name, p => (Tensor)p.Parameter);
        foreach (var (name, inputs, outputs) in new[]
                 { ("blocks.0.attn.qkv.weight", 96, 288), ("patch_embed.proj.weight", 192, 96), ("decoder_embed.weight", 96, 12) })
        {
            double bound = Math.Sqrt(6.0 / (inputs + outputs));
            Assert.InRange(weights[name].abs().max().ToDouble(), 0.95 * bound, bound);
            Assert.Equal(bound / Math.Sqrt(3), weights[name].std().ToDouble(), 0.05 * bound);
        }
        Assert.Equal(0, weights["blocks.1.mlp.fc1.bias"].abs().max().ToDouble());
        Assert.InRange(weights["cls_token"].std().ToDouble(), 0.014, 0.026);
    }

    internal static TrainingPlan Plan(int epochs, int parts, int stepsPerEpoch = 2) => new()
    {
        Phase = "MAE", Epochs = epochs, StepsPerEpoch = stepsPerEpoch, BatchSize = 4, AccumulationSteps = parts, Betas = (0.9, 0.95),
        LearningRate = new(1e-3, 0, epochs * stepsPerEpoch), WeightDecay = new(0.05, 0.05, epochs * stepsPerEpoch),
    };

    // 4 images of 32 pixels, 16 patches of 8, 3 masks
    internal static ViewBatch Batch(bool masks, long seed = 1)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var images = randn([4, 3, 32, 32], generator: generator).DetachFromDisposeScope();
        var tokens = masks ? rand([4, 3, 16], generator: generator).DetachFromDisposeScope() : null;
        return new(new(1, images, tokens), null);
    }

    private static MaeOptions Guided(double alpha) => TinyTraining.MaskedMae().With(o => o.MaskBias.InitialValue = alpha);

    private static MaeMethod Model(MaeOptions options) => TinyTraining.MaeMethod(options);

    private static double Loss(MaeOptions options, ViewBatch batch, bool masks)
    {
        using var model = Model(options);
        var given = masks ? batch : new ViewBatch(batch.Global with { MaskTokens = null }, null);
        return model.Loss(given, default).ToDouble();
    }
}
