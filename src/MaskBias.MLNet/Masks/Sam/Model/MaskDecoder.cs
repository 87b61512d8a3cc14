using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>
/// Gives masks for prompts: their tokens and the image attend to each other, the image is enlarged four times, and each mask is its product
/// with a vector made from that mask's token.
/// </summary>
internal sealed class MaskDecoder : nn.Module
{
    private const int HypernetworkDepth = 3;

    private readonly int masks;                                     // the single one and the multi-mask ones
    private readonly TwoWayTransformer transformer;
    private readonly Embedding iou_token;
    private readonly Embedding mask_tokens;
    private readonly Sequential output_upscaling;
    private readonly ModuleList<MultiLayerPerceptron> output_hypernetworks_mlps;
    private readonly MultiLayerPerceptron iou_prediction_head;

    public MaskDecoder(SamOptions options) : base(nameof(MaskDecoder))
    {
        int width = options.PromptDim;
        masks = 1 + options.MultimaskOutputs;
        transformer = new TwoWayTransformer(options);
        iou_token = nn.Embedding(1, width);
        mask_tokens = nn.Embedding(masks, width);
        output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, width / 4, 2, stride: 2), new ChannelNorm(width / 4), nn.GELU(),
            nn.ConvTranspose2d(width / 4, width / 8, 2, stride: 2), nn.GELU());
        output_hypernetworks_mlps = nn.ModuleList(Enumerable.Range(0, masks)
            .Select(_ => new MultiLayerPerceptron(width, width, width / 8, HypernetworkDepth)).ToArray());
        iou_prediction_head = new MultiLayerPerceptron(width, options.IouHeadDim, masks, options.IouHeadDepth);
        RegisterComponents();
    }

    /// <summary>Logits of masks [B, C, 4G, 4G] and their predicted IoU [B, C].</summary>
    /// <param name="image">The image embedding, [1, P, G, G].</param>
    /// <param name="imagePositions">Its positions, [1, P, G, G].</param>
    /// <param name="sparse">Tokens of the prompts, [B, N, P].</param>
    /// <param name="dense">Map of the prompts, [B, P, G, G], or [1, P, G, G] where all have the same.</param>
    /// <param name="multimask">Whether to give the masks for an ambiguous prompt, C of them, or the single one.</param>
    public (Tensor Masks, Tensor Iou) Forward(Tensor image, Tensor imagePositions, Tensor sparse, Tensor dense, bool multimask)
    {
        using var scope = NewDisposeScope();
        long batch = sparse.shape[0], grid = image.shape[^1];
        var own = cat([iou_token.weight!, mask_tokens.weight!], dim: 0).unsqueeze(0).expand(batch, -1, -1);
        var (tokens, map) = transformer.Forward(
            cat([own, sparse], dim: 1), Sum(image, dense).flatten(2).transpose(1, 2), imagePositions.flatten(2).transpose(1, 2));

        var (first, count) = multimask ? (1, masks - 1) : (0, 1);
        var enlarged = output_upscaling.forward(map.transpose(1, 2).reshape(batch, -1, grid, grid)).flatten(2);      // [B, P/8, 16G²]
        var weights = stack(Enumerable.Range(first, count)
            .Select(i => output_hypernetworks_mlps[i].forward(tokens.select(1, 1 + i))), dim: 1);                       // [B, C, P/8]
        var logits = matmul(weights, enlarged).view(batch, count, 4 * grid, 4 * grid);
        var iou = iou_prediction_head.forward(tokens.select(1, 0)).narrow(1, first, count);
        return (logits.MoveToOuterDisposeScope(), iou.MoveToOuterDisposeScope());
    }
}
