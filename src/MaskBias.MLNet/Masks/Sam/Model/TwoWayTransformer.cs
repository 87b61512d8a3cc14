using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>Lets the tokens of a prompt and an image embedding attend to each other.</summary>
internal sealed class TwoWayTransformer : nn.Module
{
    private readonly ModuleList<TwoWayBlock> layers;
    private readonly DecoderAttention final_attn_token_to_image;
    private readonly LayerNorm norm_final_attn;

    public TwoWayTransformer(SamOptions options) : base(nameof(TwoWayTransformer))
    {
        layers = nn.ModuleList(Enumerable.Range(0, options.DecoderDepth).Select(i => new TwoWayBlock(options, isFirst: i == 0)).ToArray());
        final_attn_token_to_image = new DecoderAttention(options.PromptDim, options.PromptDim / 2, options.DecoderHeads);
        norm_final_attn = nn.LayerNorm(options.PromptDim);
        RegisterComponents();
    }

    /// <summary>prompt [B, N, P], image [B or 1, G², P] and its positions [1, G², P] -> tokens [B, N, P] and image [B, G², P].</summary>
    public (Tensor Tokens, Tensor Image) Forward(Tensor prompt, Tensor image, Tensor imagePositions)
    {
        using var scope = NewDisposeScope();
        var tokens = prompt;
        foreach (var layer in layers)
        {
            var (nextTokens, nextImage) = layer.Forward(tokens, image, prompt, imagePositions);
            (tokens, image) = (nextTokens, nextImage);
        }
        tokens = Sum(tokens, final_attn_token_to_image.Forward(Sum(tokens, prompt), Sum(image, imagePositions), image));
        return (norm_final_attn.forward(tokens).MoveToOuterDisposeScope(), image.MoveToOuterDisposeScope());
    }
}
