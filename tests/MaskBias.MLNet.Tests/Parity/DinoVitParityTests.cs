using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>The vision transformer against the published DINO code.</summary>
[Trait("Category", "Parity")]
public class DinoVitParityTests
{
    private const double ForwardTolerance = 1e-5, PositionTolerance = 2e-6, GradientTolerance = 2e-5;

    [Fact]
    public void Every_output_at_every_image_size_matches()
    {
        using var scope = NewDisposeScope();
        using var fixture = new ReferenceCase("dino_vit");
        using var model = Load(fixture);
        model.eval();
        var sizes = Sizes(fixture).ToList();
        Assert.NotEmpty(sizes);
        foreach (string size in sizes)
        {
            var images = fixture.Read("io", $"input.{size}");
            using (no_grad())
            {
                Near.Equal(fixture.Read("io", $"output.{size}.pos_embed"), model.PositionEmbedding(images.shape[2], images.shape[3]), PositionTolerance, $"positions {size}");
                Near.Equal(fixture.Read("io", $"output.{size}.tokens"), model.Prepare(images), ForwardTolerance, $"tokens {size}");
                Near.Equal(fixture.Read("io", $"output.{size}.cls"), model.forward(images), ForwardTolerance, $"class token {size}");
                Near.Equal(fixture.Read("io", $"output.{size}.last_selfattention"), model.LastSelfAttention(images), ForwardTolerance, $"attention {size}");
                var blocks = model.IntermediateTokens(images, fixture.Int("n_layers"));
                Assert.Equal((int)fixture.Read("io", $"output.{size}.n_intermediate").ToInt64(), blocks.Count);
                for (int i = 0; i < blocks.Count; i++)
                    Near.Equal(fixture.Read("io", $"output.{size}.intermediate.{i}"), blocks[i], ForwardTolerance, $"block {i} of {size}");
            }
        }
    }

    [Fact]
    public void Gradients_match()
    {
        using var fixture = new ReferenceCase("dino_vit");
        using var model = Load(fixture);
        var io = fixture.File_("io");
        var checkedSizes = Sizes(fixture).Where(s => io.Contains($"grad.{s}.loss")).ToList();
        Assert.NotEmpty(checkedSizes);
        foreach (string size in checkedSizes)
        {
            using var scope = NewDisposeScope();
            foreach (var parameter in model.parameters()) parameter.grad = null;
            var images = io.Read($"input.{size}").requires_grad_();
            var loss = (model.forward(images) * io.Read($"grad.{size}.probe")).sum();
            Near.Equal(io.Read($"grad.{size}.loss"), loss, 1e-4, $"probe {size}");
            loss.backward();
            Near.Equal(io.Read($"grad.{size}.input"), images.grad!, GradientTolerance, $"input gradient {size}");
            string prefix = $"grad.{size}.param.";
            var stored = model.named_parameters().Where(p => io.Contains(prefix + p.name)).ToList();
            Assert.NotEmpty(stored);
            Assert.Equal(io.Entries.Count(e => e.Name.StartsWith(prefix, StringComparison.Ordinal)), stored.Count);
            foreach (var (name, parameter) in stored)
                Near.Equal(io.Read(prefix + name), parameter.grad!, GradientTolerance, $"gradient of {name} {size}");
        }
    }

    private static IEnumerable<string> Sizes(ReferenceCase fixture) =>
        fixture.Config.GetProperty("inputs").EnumerateArray().Select(i => $"{i[1].GetInt32()}x{i[2].GetInt32()}");

    private static VisionTransformer Load(ReferenceCase fixture)
    {
        var model = new VisionTransformer(new()
        {
            ImageSize = fixture.Int("img_size"), PatchSize = fixture.Int("patch_size"), EmbedDim = fixture.Int("embed_dim"),
            Depth = fixture.Int("depth"), Heads = fixture.Int("num_heads"),
        });
        fixture.LoadInto(model, "backbone");
        return model;
    }
}
