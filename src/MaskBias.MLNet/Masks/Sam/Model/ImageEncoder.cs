using MaskBias.MLNet.Vit;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>
/// A plain vision transformer with windowed and global attention (Li et al., ViTDet, ECCV 2022), then a neck of convolutions.
/// </summary>
internal sealed class ImageEncoder : nn.Module<Tensor, Tensor>
{
    private readonly int grid;
    private readonly PatchEmbedding patch_embed;
    private readonly Parameter pos_embed;               // [1, G, G, D]
    private readonly ModuleList<EncoderBlock> blocks;
    private readonly Sequential neck;

    public ImageEncoder(SamOptions options) : base(nameof(ImageEncoder))
    {
        grid = options.GridSize;
        patch_embed = new PatchEmbedding(options.PatchSize, options.EmbedDim);
        pos_embed = nn.Parameter(zeros(1, grid, grid, options.EmbedDim));
        blocks = nn.ModuleList(Enumerable.Range(0, options.Depth)
            .Select(i => new EncoderBlock(options, isWindowed: !options.GlobalAttentionBlocks.Contains(i))).ToArray());
        neck = nn.Sequential(
            nn.Conv2d(options.EmbedDim, options.PromptDim, 1, bias: false), new ChannelNorm(options.PromptDim),
            nn.Conv2d(options.PromptDim, options.PromptDim, 3, padding: 1, bias: false), new ChannelNorm(options.PromptDim));
        RegisterComponents();
    }

    public IEnumerable<EncoderBlock> Blocks => blocks;

    // normalised, padded images [B, 3, S, S] -> [B, P, G, G]
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var map = Tokens(images);
        foreach (var block in blocks)
        {
            var next = block.forward(map);
            map.Dispose();
            map = next;
        }
        return Neck(map).MoveToOuterDisposeScope();
    }

    /// <summary>Projected patches with their positions, [B, G, G, D].</summary>
    public Tensor Tokens(Tensor images)
    {
        using var scope = NewDisposeScope();
        return Sum(patch_embed.forward(images).view(images.shape[0], grid, grid, -1), pos_embed).MoveToOuterDisposeScope();
    }

    /// <summary>[B, G, G, D] -> [B, P, G, G].</summary>
    public Tensor Neck(Tensor map)
    {
        using var scope = NewDisposeScope();
        return neck.forward(map.permute(0, 3, 1, 2)).MoveToOuterDisposeScope();
    }
}
