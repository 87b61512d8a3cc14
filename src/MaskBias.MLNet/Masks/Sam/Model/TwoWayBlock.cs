using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>
/// A block of the mask decoder: self-attention of the prompt's tokens, attention from them to the image, an MLP, and attention from the
/// image to them. Positions are added to queries and keys everywhere, but for the first block's self-attention, which sees them alone.
/// </summary>
internal sealed class TwoWayBlock : nn.Module
{
    private readonly bool isFirst;
    private readonly DecoderAttention self_attn;
    private readonly LayerNorm norm1;
    private readonly DecoderAttention cross_attn_token_to_image;
    private readonly LayerNorm norm2;
    private readonly FeedForward mlp;
    private readonly LayerNorm norm3;
    private readonly LayerNorm norm4;
    private readonly DecoderAttention cross_attn_image_to_token;

    public TwoWayBlock(SamOptions options, bool isFirst) : base(nameof(TwoWayBlock))
    {
        this.isFirst = isFirst;
        int width = options.PromptDim, heads = options.DecoderHeads;
        self_attn = new DecoderAttention(width, width, heads);
        norm1 = nn.LayerNorm(width);
        cross_attn_token_to_image = new DecoderAttention(width, width / 2, heads);
        norm2 = nn.LayerNorm(width);
        mlp = new FeedForward(width, options.DecoderMlpDim, rectifies: true);
        norm3 = nn.LayerNorm(width);
        norm4 = nn.LayerNorm(width);
        cross_attn_image_to_token = new DecoderAttention(width, width / 2, heads);
        RegisterComponents();
    }

    /// <summary>tokens [B, N, P], image [B or 1, G², P] -> both of the same sizes, the image [B, G², P].</summary>
    public (Tensor Tokens, Tensor Image) Forward(Tensor tokens, Tensor image, Tensor tokenPositions, Tensor imagePositions)
    {
        using var scope = NewDisposeScope();
        if (isFirst)
        {
            tokens = self_attn.Forward(tokens, tokens, tokens);
        }
        else
        {
            var placed = Sum(tokens, tokenPositions);
            tokens = Sum(tokens, self_attn.Forward(placed, placed, tokens));
        }
        tokens = norm1.forward(tokens);

        var imageKeys = Sum(image, imagePositions);
        tokens = norm2.forward(Sum(tokens, cross_attn_token_to_image.Forward(Sum(tokens, tokenPositions), imageKeys, image)));
        tokens = norm3.forward(Sum(tokens, mlp.forward(tokens)));
        image = norm4.forward(Sum(image, cross_attn_image_to_token.Forward(imageKeys, Sum(tokens, tokenPositions), tokens)));
        return (tokens.MoveToOuterDisposeScope(), image.MoveToOuterDisposeScope());
    }
}
