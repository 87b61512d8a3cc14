using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Pretraining.Mae;

/// <summary>
/// Hides a share of the patches at random, each alone or in square blocks (supplement, Table 2: 2×2 tokens with ViT/8): the blocks with the
/// smallest noise stay visible.
/// </summary>
internal sealed class PatchMasker
{
    private readonly int grid;
    private readonly int block;

    /// <param name="grid">Patches along a side of the image.</param>
    /// <param name="maskRatio">Share of the blocks that is hidden; the number of visible ones is rounded down, as MAE does.</param>
    /// <param name="block">Patches along a side of a block; divides the grid.</param>
    public PatchMasker(int grid, double maskRatio, int block)
    {
        (this.grid, this.block) = (grid, block);
        Blocks = grid / block * (grid / block);
        VisiblePatches = VisibleBlocks(grid, maskRatio, block) * block * block;
    }

    /// <summary>Blocks in an image.</summary>
    public int Blocks { get; }

    /// <summary>Number V of patches that stay visible.</summary>
    public int VisiblePatches { get; }

    /// <summary>Blocks that stay visible.</summary>
    public static int VisibleBlocks(int grid, double maskRatio, int block) => (int)(grid / block * (grid / block) * (1 - maskRatio));

    /// <summary>Draws the masking of a batch on the CPU, so that a seed means the same on every device.</summary>
    public PatchMasking Draw(long images, Generator generator, Device device) => Draw(images, new RowDraws(generator), device);

    /// <summary>Draws the masking of the rows that this process has of a batch.</summary>
    public PatchMasking Draw(long images, RowDraws draws, Device device)
    {
        using var scope = NewDisposeScope();
        var masking = From(draws.Uniform(images, Blocks));
        return new(
            masking.Visible.SentTo(device).MoveToOuterDisposeScope(), masking.Restore.SentTo(device).MoveToOuterDisposeScope(),
            masking.Hidden.SentTo(device).MoveToOuterDisposeScope());
    }

    /// <summary>The masking that noise for each block makes, [B, blocks].</summary>
    public PatchMasking From(Tensor noise)
    {
        using var scope = NewDisposeScope();
        int perBlock = block * block, blocksPerSide = grid / block;
        var rank = noise.argsort(1).argsort(1);                                                     // of each block, 0 the smallest
        var first = (rank * Number(perBlock)).view(-1, blocksPerSide, 1, blocksPerSide, 1);
        var within = arange(Number(0), Number(perBlock), Number(1), dtype: ScalarType.Int64, device: noise.device).view(1, 1, block, 1, block);
        var restore = Sum(first, within).reshape(-1, grid * grid);                                    // blocks in order, patch by patch
        var visible = restore.argsort(1)[.., ..VisiblePatches];
        var hidden = (restore >= Number(VisiblePatches)).to_type(ScalarType.Float32);
        return new(visible.MoveToOuterDisposeScope(), restore.MoveToOuterDisposeScope(), hidden.MoveToOuterDisposeScope());
    }
}
