using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.KeyMaps;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>DINOv2's encoders, without and with registers and SwiGLU, against the published code.</summary>
[Trait("Category", "Parity")]
public class DinoV2ParityTests
{
    private const double PositionTolerance = 2e-6, TokenTolerance = 2e-5, GradientTolerance = 5e-5;

    // Hugging Face's files of the same weights serve the cases whose own are pickled.
    public static TheoryData<string, string> Cases => new()
    {
        { "dinov2_vit", "dinov2_vit/backbone.safetensors" },
        { "dinov2_vit", "hf_dinov2" },
        { "dinov2_vit_reg", "hf_dinov2_reg" },
        { "dinov2_vit_swiglu", "hf_dinov2_swiglu" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_output_at_every_image_size_matches(string name, string weights)
    {
        using var fixture = new ReferenceCase(name);
        using var encoder = Load(fixture, weights);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var model = encoder.Model;
        int prefix = model.PrefixTokens;
        foreach (string size in Sizes(fixture))
        {
            var images = fixture.Read("io", $"input.{size}");
            var tokens = model.ForwardTokens(images);
            Check("x_norm_clstoken", tokens[.., 0], TokenTolerance);
            Check("x_norm_regtokens", tokens[.., 1..prefix], TokenTolerance);
            Check("x_norm_patchtokens", tokens[.., prefix..], TokenTolerance);
            Check("x_norm_clstoken", model.forward(images), TokenTolerance);
            Check("pos_embed", model.PositionEmbedding(images.shape[2], images.shape[3]), PositionTolerance, optional: true);
            Check("prepared_tokens", model.Prepare(images), TokenTolerance, optional: true);
            var blocks = model.IntermediateTokens(images, 2);
            for (int i = 0; i < blocks.Count; i++)
            {
                Check($"intermediate.{i}.cls", blocks[i][.., 0], TokenTolerance, optional: true);
                long rows = images.shape[2] / model.Options.PatchSize;
                var grid = blocks[i][.., prefix..].transpose(1, 2).reshape(images.shape[0], model.FeatureDim, rows, -1);
                Check($"intermediate.{i}.patch_nchw", grid, TokenTolerance, optional: true);
            }

            void Check(string output, Tensor actual, double tolerance, bool optional = false)
            {
                if (optional && !fixture.File_("io").Contains($"output.{size}.{output}")) return;
                Near.Equal(fixture.Read("io", $"output.{size}.{output}"), actual, tolerance, $"{output} {size}");
            }
        }
    }

    [Theory]
    [InlineData("dinov2_vit", "hf_dinov2", "size", PositionResampling.Size)]
    [InlineData("dinov2_vit", "hf_dinov2", "size_antialias", PositionResampling.Antialiased)]
    [InlineData("dinov2_vit_reg", "hf_dinov2_reg", "offset0.1", PositionResampling.Offset)]
    public void Every_way_to_resample_positions_matches(string name, string weights, string mode, PositionResampling resampling)
    {
        using var fixture = new ReferenceCase(name);
        using var encoder = EncoderCheckpoint.Load(Fixtures.Path(weights), new() { Heads = fixture.Int("num_heads"), PositionResampling = resampling });
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var sizes = Sizes(fixture).Where(s => fixture.File_("io").Contains($"output.{s}.{mode}.pos_embed")).ToList();
        Assert.NotEmpty(sizes);
        foreach (string size in sizes)
        {
            var images = fixture.Read("io", $"input.{size}");
            var positions = encoder.Model.PositionEmbedding(images.shape[2], images.shape[3]);
            Near.Equal(fixture.Read("io", $"output.{size}.{mode}.pos_embed"), positions, PositionTolerance, $"positions {size}");
            Near.Equal(fixture.Read("io", $"output.{size}.{mode}.x_norm_clstoken"), encoder.Model.forward(images), TokenTolerance, $"class token {size}");
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_match(string name, string weights)
    {
        using var fixture = new ReferenceCase(name);
        using var encoder = Load(fixture, weights);
        using var scope = NewDisposeScope();
        var io = fixture.File_("io");
        string size = "98x98";
        var tokens = encoder.Model.ForwardTokens(io.Read($"input.{size}"));
        var loss = (tokens[.., 0] * io.Read($"grad.{size}.probe_cls")).sum()
            + 0.01 * (tokens[.., encoder.Model.PrefixTokens..] * io.Read($"grad.{size}.probe_patch")).sum();
        Near.Equal(io.Read($"grad.{size}.loss"), loss, 1e-4, "probe");
        loss.backward();
        int compared = 0;
        foreach (var (parameterName, parameter) in encoder.Model.named_parameters())
        {
            if (!io.Contains($"grad.{size}.param.{parameterName}")) continue;
            Near.Equal(io.Read($"grad.{size}.param.{parameterName}"), parameter.grad!, GradientTolerance, $"gradient of {parameterName}");
            compared++;
        }
        Assert.Equal(io.Entries.Count(e => e.Name.Contains(".param.")), compared);
    }

    private static VisionEncoder Load(ReferenceCase fixture, string weights)
    {
        var native = fixture.Config.TryGetProperty("reg", out _) ? PositionResampling.Antialiased : PositionResampling.Offset;
        return EncoderCheckpoint.Load(Fixtures.Path(weights), new() { Heads = fixture.Int("num_heads"), PositionResampling = native });
    }

    private static IEnumerable<string> Sizes(ReferenceCase fixture) =>
        fixture.Config.GetProperty("inputs").EnumerateArray().Select(i => $"{i[1].GetInt32()}x{i[2].GetInt32()}");
}
