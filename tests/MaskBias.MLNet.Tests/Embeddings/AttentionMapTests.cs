using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Vit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Embeddings;

/// <summary>Where an encoder looks, with masks and without.</summary>
public sealed class AttentionMapTests
{
    private static readonly RgbImage Image = new(32, 48, [.. Enumerable.Range(0, 3 * 32 * 48).Select(i => (byte)(i * 37))]);

    [Fact]
    public void Masks_guide_where_the_class_token_looks()
    {
        using var encoder = Guided();
        var masks = SceneFolder.Halves(32, 48);
        var (without, with) = (AttentionMap.Of(encoder, Image), AttentionMap.Of(encoder, Image, masks));
        Assert.Equal((3, 16), (with.Heads.Count, with.Heads[0].Length));
        Assert.True(without.Heads[0].Zip(with.Heads[0], (a, b) => Math.Abs(a - b)).Max() > 1e-3);

        // The same from the parts.
        float[] tokens = new MaskTokenizer().Compute(masks, IsoCrop.Region(48, 32, 32), 4, 4, out int kept);
        float[] pixels = new float[3 * 32 * 32];
        IsoCropResizer.Resize(Image, 32, pixels);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var map = encoder.Model.LastSelfAttention(encoder.Normalize(tensor(pixels).view(1, 3, 32, 32)), tensor(tokens).view(1, kept, 16));
        Assert.Equal(map[0, 1, 0, 1..].contiguous().data<float>().ToArray(), with.Heads[1]);
    }

    [Fact]
    public void No_masks_or_none_that_counts_is_looking_without()
    {
        using var encoder = Guided();
        float[] without = AttentionMap.Of(encoder, Image).Heads[0];
        Assert.Equal(without, AttentionMap.Of(encoder, Image, null).Heads[0]);
        Assert.Equal(without, AttentionMap.Of(encoder, Image, MaskSet.Empty(32, 48)).Heads[0]);
        Assert.Equal(without, AttentionMap.Of(encoder, Image, SceneFolder.Halves(32, 48), new() { MinPatches = 1000 }).Heads[0]);
    }

    [Fact]
    public void Masks_of_another_size_and_encoders_without_a_bias_are_refused()
    {
        using var encoder = Guided();
        Assert.Contains("The masks are 32x48 pixels, the image is 48x32",
            Assert.Throws<ArgumentException>(() => AttentionMap.Of(encoder, Image, SceneFolder.Halves(48, 32))).Message);
        using var plain = new VisionEncoder(new VisionTransformer(TinyTraining.Encoder(imageSize: 32)));
        Assert.Throws<InvalidOperationException>(() => AttentionMap.Of(plain, Image, SceneFolder.Halves(32, 48)));
    }

    // Weights so large that one block's attention is seen in the next.
    private static VisionEncoder Guided()
    {
        var options = TinyTraining.Encoder(imageSize: 32);
        options.MaskBias = new() { InitialValue = 3 };
        var model = new VisionTransformer(options, 5);
        using (no_grad())
        {
            foreach (var (name, parameter) in model.named_parameters()
                .Where(p => p.name.Contains("attn", StringComparison.Ordinal) && p.name.EndsWith("weight", StringComparison.Ordinal)))
                parameter.mul_(20);
        }
        return new(model);
    }
}
