using System.Text.Json;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Tests.Samples;

/// <summary>The maskbias tool, run as its user does.</summary>
public sealed class CliTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public void Describe_says_what_a_published_checkpoint_is()
    {
        var (code, text, _) = Run("describe", Fixtures.Path("mae_forward/mae_pretrain.pth"), "--heads", "4");
        Assert.Equal(0, code);
        foreach (string expected in new[] { "MAE", "encoder: 48 wide", "decoder: 24 wide", "patch 8" }) Assert.Contains(expected, text);

        var (jsonCode, json, _) = Run("describe", Fixtures.Path("mae_forward/mae_pretrain.pth"), "--heads", "4", "--json");
        Assert.Equal(0, jsonCode);
        using var parsed = JsonDocument.Parse(json);
        Assert.Equal("Mae", parsed.RootElement.GetProperty("layout").GetString());
        Assert.Equal(48, parsed.RootElement.GetProperty("architecture").GetProperty("embedDim").GetInt32());
    }

    [Theory]
    [InlineData("Timm", "model.safetensors")]
    [InlineData("Dino", "model.pth")]
    [InlineData("MaskBias", "encoder")]
    public void Exported_encoders_read_back_the_same(string format, string name)
    {
        using var encoder = TinyTraining.Teacher();
        string source = Path.Combine(folder.Path, "source"), target = Path.Combine(folder.Path, name);
        EncoderCheckpoint.Save(encoder, source);
        string[] card = format == "MaskBias" ? [] : ["--license", "MIT"];
        var (code, text, errors) = Run(["export", source, target, "--format", format, .. card]);
        Assert.True(code == 0, errors);
        Assert.Contains(target, text);
        using var read = EncoderCheckpoint.Load(target, new() { Heads = 3 });
        var expected = TinyTraining.Weights(encoder).Where(w => w.Key.StartsWith("backbone.", StringComparison.Ordinal)).ToDictionary();
        TinyTraining.AssertSame(expected,
            TinyTraining.Weights(read).Where(w => w.Key.StartsWith("backbone.", StringComparison.Ordinal)).ToDictionary());
    }

    [Fact]
    public void Onnx_is_written_with_its_card()
    {
        using var encoder = TinyTraining.Teacher();
        string source = Path.Combine(folder.Path, "source"), target = Path.Combine(folder.Path, "encoder.onnx");
        EncoderCheckpoint.Save(encoder, source);
        var (code, _, errors) = Run("export", source, target, "--format", "Onnx", "--outputs", "Features, PatchTokens", "--dynamic-size");
        Assert.True(code == 0, errors);
        Assert.True(new FileInfo(target).Length > 1000 && File.Exists(target + ".card.json"));
    }

    private static (int Code, string Output, string Errors) Run(params string[] arguments) =>
        BuiltProgram.Run("src/Samples/Cli", "maskbias", arguments);

    public void Dispose() => folder.Dispose();
}
