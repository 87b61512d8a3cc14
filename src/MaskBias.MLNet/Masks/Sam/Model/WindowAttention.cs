using MaskBias.MLNet.Vit;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>
/// Self-attention of a map of tokens, in windows or over the whole map, with relative positions: softmax(QKᵀ/√d + q·R_h + q·R_w) V, where
/// R_h and R_w are looked up by the difference of rows and of columns (Li et al., MViTv2, CVPR 2022).
/// </summary>
internal sealed class WindowAttention : nn.Module<Tensor, Tensor>
{
    // The relative positions of so many logits are held at a time: they stay in the processor's cache.
    private const long LogitsPerChunk = 1 << 20;

    private readonly int heads;
    private readonly int side;              // S: of a window, or of the whole map
    private readonly bool isWindowed;
    private readonly Linear qkv;
    private readonly Linear proj;
    private readonly Parameter rel_pos_h;   // [2S − 1, d]
    private readonly Parameter rel_pos_w;   // [2S − 1, d]

    public WindowAttention(int width, int heads, int side, bool isWindowed) : base(nameof(WindowAttention))
    {
        (this.heads, this.side, this.isWindowed) = (heads, side, isWindowed);
        qkv = WeightLayers.Linear(width, 3 * width);
        proj = WeightLayers.Linear(width, width);
        rel_pos_h = nn.Parameter(zeros(2 * side - 1, width / heads));
        rel_pos_w = nn.Parameter(zeros(2 * side - 1, width / heads));
        RegisterComponents();
    }

    // [B, H, W, D] -> [B, H, W, D]
    public override Tensor forward(Tensor map)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = (map.shape[1], map.shape[2]);
        var parts = Partition(Project(map)).unbind(0);                                      // [B·windows, h, S², d] each
        var mixed = Attend(parts[0], parts[1], parts[2]);
        return proj.forward(Join(mixed, map.shape[0], rows, columns)).MoveToOuterDisposeScope();
    }

    // Windows reach over the bottom and right edge. What is there counts as zeros before this layer, so it has q, k and v of the bias alone.
    private Tensor Project(Tensor map)
    {
        if (!isWindowed) return qkv.forward(map);
        var projected = nn.functional.linear(map, qkv.weight!);
        long below = Missing(map.shape[1]), right = Missing(map.shape[2]);
        if (below + right > 0) projected = nn.functional.pad(projected, [0, 0, 0, right, 0, below]);
        return projected.add_(qkv.bias!);
    }

    private long Missing(long length) => (side - length % side) % side;

    // [B, H', W', 3D] -> [3, B·windows, h, S², d]
    private Tensor Partition(Tensor projected)
    {
        var (batch, down, across) = (projected.shape[0], projected.shape[1] / side, projected.shape[2] / side);
        return projected.view(batch, down, side, across, side, 3, heads, -1).permute(5, 0, 1, 3, 6, 2, 4, 7)
            .reshape(3, batch * down * across, heads, side * side, -1);
    }

    // [B·windows, h, S², d] -> [B, H, W, D], without what lies over the edge
    private Tensor Join(Tensor mixed, long batch, long rows, long columns)
    {
        long down = (rows + side - 1) / side, across = (columns + side - 1) / side;
        var map = mixed.view(batch, down, across, heads, side, side, -1).permute(0, 1, 4, 2, 5, 3, 6)
            .reshape(batch, down * side, across * side, -1);
        return map.narrow(1, 0, rows).narrow(2, 0, columns);
    }

    private Tensor Attend(Tensor query, Tensor key, Tensor value)
    {
        var positions = query.view(query.shape[0], heads, side, side, -1);
        var byRow = einsum("bhyxd,ykd->bhyxk", positions, Table(rel_pos_h)).flatten(2, 3).unsqueeze(-1);      // [B', h, S², S, 1]
        var byColumn = einsum("bhyxd,xkd->bhyxk", positions, Table(rel_pos_w)).flatten(2, 3).unsqueeze(-2);   // [B', h, S², 1, S]

        long tokens = (long)side * side, chunk = Math.Clamp(LogitsPerChunk / (heads * tokens), 1, tokens);
        if (isWindowed) chunk = tokens;
        var mixed = empty_like(query);
        for (long start = 0; start < tokens; start += chunk)
        {
            using var step = NewDisposeScope();
            long count = Math.Min(chunk, tokens - start);
            var bias = (byRow.narrow(2, start, count) + byColumn.narrow(2, start, count)).flatten(3);         // [B', h, chunk, S²]
            mixed.narrow(2, start, count).copy_(
                nn.functional.scaled_dot_product_attention(query.narrow(2, start, count), key, value, attn_mask: bias));
        }
        return mixed;
    }

    // [2S − 1, d] -> [S, S, d]: entry (i, k) is that of the difference i − k
    private Tensor Table(Parameter relative)
    {
        var steps = arange(side, device: relative.device);
        return relative[steps.unsqueeze(1) - steps.unsqueeze(0) + (side - 1)];
    }
}
