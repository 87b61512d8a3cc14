using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>Masking, encoder, decoder, loss and positions against the published MAE code.</summary>
[Trait("Category", "Parity")]
public class MaeForwardParityTests
{
    private const double ForwardTolerance = 1e-5, ExactTolerance = 1e-6;

    [Fact]
    public void Sin_cos_positions_match()
    {
        using var scope = NewDisposeScope();
        using var fixture = new ReferenceCase("mae_forward");
        var cases = fixture.Config.GetProperty("sincos").EnumerateArray()
            .Select(c => (Width: c[0].GetInt32(), Grid: c[1].GetInt32())).ToList();
        Assert.NotEmpty(cases);
        foreach (var (width, grid) in cases)
        {
            var expected = fixture.Read("sincos", $"sincos.dim{width}.grid{grid}").to_type(ScalarType.Float32).unsqueeze(0);
            Near.Equal(expected, SinCosPositions.Create(width, grid), ExactTolerance, $"positions {width}, {grid}");
        }
    }

    [Fact]
    public void Masking_latent_and_prediction_match()
    {
        using var scope = NewDisposeScope();
        using var fixture = new ReferenceCase("mae_forward");
        using var model = MaeReference.Model(fixture, "model");
        using var _ = no_grad();
        var images = fixture.Read("io", "input");
        var masking = model.Masking(fixture.Read("io", "noise"));
        Near.Equal(fixture.Read("io", "output.mask"), masking.Hidden, 0, "mask");
        Near.Equal(fixture.Read("io", "output.ids_restore"), masking.Restore, 0, "order");
        Near.Equal(fixture.Read("io", "output.ids_shuffle")[.., ..(int)masking.Visible.shape[1]], masking.Visible, 0, "visible patches");
        var latent = model.Method.Encoder.ForwardVisible(images, masking.Visible);
        Near.Equal(fixture.Read("io", "output.latent"), latent, ForwardTolerance, "latent");
        var predicted = model.Method.Decoder.forward(latent, masking.Restore);
        Near.Equal(fixture.Read("io", "output.pred"), predicted, ForwardTolerance, "prediction");
        int patch = fixture.Int("patch_size");
        Near.Equal(fixture.Read("io", "output.patchify"), ImagePatches.Cut(images, patch), 0, "patches");
        Near.Equal(fixture.Read("io", "output.unpatchify_pred"), ImagePatches.Join(fixture.Read("io", "output.pred"), patch), 0, "image");
    }

    [Theory]
    [InlineData("plain", false)]
    [InlineData("normpix", true)]
    public void Loss_and_gradients_match(string variant, bool normalizePixels)
    {
        using var scope = NewDisposeScope();
        using var fixture = new ReferenceCase("mae_forward");
        using var model = MaeReference.Model(fixture, "model", normalizePixels);
        var io = fixture.File_("io");
        var images = io.Read("input").requires_grad_();
        var loss = model.Method.Loss(images, null, model.Masking(io.Read("noise")));
        Near.Equal(io.Read($"output.loss.{variant}"), loss, ExactTolerance, "loss");
        loss.backward();
        Near.Equal(io.Read($"grad.{variant}.input"), images.grad!, ExactTolerance, "input gradient");
        int seen = 0;
        foreach (var (name, parameter) in model.Method.Parameters)
        {
            string key = $"grad.{variant}.param.{name}";
            if (!io.Contains(key)) continue;
            Near.Equal(io.Read(key), parameter.grad!, ExactTolerance, name);
            seen++;
        }
        Assert.Equal(io.Entries.Count(e => e.Name.StartsWith($"grad.{variant}.param.", StringComparison.Ordinal)), seen);
        Assert.True(seen > 0);
    }
}
