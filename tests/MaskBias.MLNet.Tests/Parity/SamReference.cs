using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks.Sam;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>The small Segment Anything model of the reference cases.</summary>
internal static class SamReference
{
    public static SamModel Load(ReferenceCase fixture, string file = "sam.safetensors") =>
        SamModel.Load(Fixtures.Path($"sam_model/{file}"), fixture.Int("dec_heads"));

    public static RgbImage Image(ReferenceCase fixture, string file, string name)
    {
        using var pixels = fixture.Read(file, name);
        return new((int)pixels.shape[0], (int)pixels.shape[1], pixels.bytes.ToArray());
    }

    public static SamOptions Architecture(ReferenceCase fixture) => new()
    {
        ImageSize = fixture.Int("img_size"), PatchSize = fixture.Int("patch_size"), EmbedDim = fixture.Int("embed_dim"), Depth = fixture.Int("depth"),
        Heads = fixture.Int("num_heads"), MlpDim = 4 * fixture.Int("embed_dim"), WindowSize = fixture.Int("window_size"),
        GlobalAttentionBlocks = [.. fixture.Config.GetProperty("global_attn_indexes").EnumerateArray().Select(i => i.GetInt32())],
        PromptDim = fixture.Int("prompt_dim"), MaskPromptDim = fixture.Int("mask_in_chans"), DecoderMlpDim = fixture.Int("mlp_dim"),
        DecoderHeads = fixture.Int("dec_heads"), IouHeadDim = fixture.Int("iou_hidden"),
    };
}
