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
    // Logits whose relative positions are held at a time: 12 MB, which the allocator reuses where it would map a larger block anew each
    // time.
    private const long LogitsPerChunk = 3 << 20;

    private readonly int heads;
    private readonly int side;              // S: of a window, or of the whole map
    private readonly Linear qkv;
    private readonly Linear proj;
    private readonly Parameter rel_pos_h;   // [2S − 1, d]
    private readonly Parameter rel_pos_w;   // [2S − 1, d]

    public WindowAttention(int width, int heads, int side) : base(nameof(WindowAttention))
    {
        (this.heads, this.side) = (heads, side);
        qkv = WeightLayers.Linear(width, 3 * width);
        proj = WeightLayers.Linear(width, width);
        rel_pos_h = nn.Parameter(zeros(2 * side - 1, width / heads));
        rel_pos_w = nn.Parameter(zeros(2 * side - 1, width / heads));
        RegisterComponents();
    }

    // [B, H, W, D] -> [B, H, W, D], one row of windows after the other
    public override Tensor forward(Tensor map)
    {
        using var scope = NewDisposeScope();
        var output = empty_like(map);
        for (long top = 0; top < map.shape[1]; top += side)
        {
            using var step = NewDisposeScope();
            long rows = Math.Min(side, map.shape[1] - top);
            output.narrow(1, top, rows).copy_(proj.forward(AttendRow(map.narrow(1, top, rows))));
        }
        return output.MoveToOuterDisposeScope();
    }

    // [B, rows ≤ S, W, D] -> [B, rows, W, D]
    private Tensor AttendRow(Tensor row)
    {
        var mixed = Attend(Project(row, 0), Project(row, 1), Project(row, 2));                               // [B·windows, h, S², d]
        var (batch, rows, columns) = (row.shape[0], row.shape[1], row.shape[2]);
        long windows = (columns + side - 1) / side;
        return mixed.view(batch, windows, heads, side, side, -1).permute(0, 3, 1, 4, 2, 5).reshape(batch, side, windows * side, -1)
            .narrow(1, 0, rows).narrow(2, 0, columns);      // without what lies over the edge
    }

    // Query, key or value: [B, rows, W, D] -> [B·windows, h, S², d]. Windows reach over the bottom and right edge; what is there counts as
    // zeros before this layer, so it has q, k and v of the bias alone.
    private Tensor Project(Tensor row, int part)
    {
        long width = row.shape[3], below = side - row.shape[1], right = (side - row.shape[2] % side) % side;
        Tensor weight = qkv.weight!.narrow(0, part * width, width), bias = qkv.bias!.narrow(0, part * width, width);
        var projected = nn.functional.linear(row, weight);
        if (below + right > 0) projected = nn.functional.pad(projected, [0, 0, 0, right, 0, below]);
        projected.add_(bias, alpha: Number(1));
        long windows = projected.shape[2] / side;
        return projected.view(row.shape[0], side, windows, side, heads, -1).permute(0, 2, 4, 1, 3, 5)
            .reshape(row.shape[0] * windows, heads, side * side, -1);
    }

    private Tensor Attend(Tensor query, Tensor key, Tensor value)
    {
        var positions = query.view(query.shape[0], heads, side, side, -1);
        var byRow = einsum("bhyxd,ykd->bhyxk", positions, Table(rel_pos_h)).flatten(2, 3).unsqueeze(-1);      // [B', h, S², S, 1]
        var byColumn = einsum("bhyxd,xkd->bhyxk", positions, Table(rel_pos_w)).flatten(2, 3).unsqueeze(-2);   // [B', h, S², 1, S]

        long tokens = (long)side * side, chunk = Math.Clamp(LogitsPerChunk / (query.shape[0] * heads * tokens), 1, tokens);
        var mixed = empty_like(query);
        for (long start = 0; start < tokens; start += chunk)
        {
            using var step = NewDisposeScope();
            long count = Math.Min(chunk, tokens - start);
            var bias = Sum(byRow.narrow(2, start, count), byColumn.narrow(2, start, count)).flatten(3);         // [B', h, chunk, S²]
            mixed.narrow(2, start, count).copy_(
                nn.functional.scaled_dot_product_attention(query.narrow(2, start, count), key, value, attn_mask: bias));
        }
        return mixed;
    }

    // [2S − 1, d] -> [S, S, d]: entry (i, k) is that of the difference i − k
    private Tensor Table(Parameter relative)
    {
        var steps = arange(Number(0), Number(side), Number(1), device: relative.device);
        return relative[Sum(steps.unsqueeze(1) - steps.unsqueeze(0), Number(side - 1))];
    }
}
