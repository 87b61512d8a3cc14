using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>Turns points and boxes into tokens, and a mask into a map that is added to the image embedding.</summary>
internal sealed class PromptEncoder : nn.Module
{
    /// <summary>Labels of points: not one, background, foreground.</summary>
    public const int Padding = -1, Background = 0, Foreground = 1;

    private const int TopLeft = 2, BottomRight = 3;

    private readonly int imageSize;
    private readonly int grid;
    private readonly FourierPositions pe_layer;
    private readonly ModuleList<Embedding> point_embeddings;        // background, foreground, the two corners of a box
    private readonly Embedding not_a_point_embed;
    private readonly Sequential mask_downscaling;
    private readonly Embedding no_mask_embed;

    public PromptEncoder(SamOptions options) : base(nameof(PromptEncoder))
    {
        (imageSize, grid) = (options.ImageSize, options.GridSize);
        int width = options.PromptDim, channels = options.MaskPromptDim;
        pe_layer = new FourierPositions(width);
        point_embeddings = nn.ModuleList(Enumerable.Range(0, 4).Select(_ => nn.Embedding(1, width)).ToArray());
        not_a_point_embed = nn.Embedding(1, width);
        mask_downscaling = nn.Sequential(
            nn.Conv2d(1, channels / 4, 2, stride: 2), new ChannelNorm(channels / 4), nn.GELU(),
            nn.Conv2d(channels / 4, channels, 2, stride: 2), new ChannelNorm(channels), nn.GELU(),
            nn.Conv2d(channels, width, 1));
        no_mask_embed = nn.Embedding(1, width);
        RegisterComponents();
    }

    /// <summary>Positions of the image embedding, [1, P, G, G].</summary>
    public Tensor ImagePositions() => pe_layer.Grid(grid);

    /// <summary>Tokens of points and boxes, [B, N, P].</summary>
    /// <param name="points">(x, y) in pixels of the resized image, [B, M, 2], or null.</param>
    /// <param name="labels"><see cref="Padding"/>, <see cref="Background"/> or <see cref="Foreground"/>, [B, M].</param>
    /// <param name="boxes">(x0, y0, x1, y1) in pixels of the resized image, [B, 4], or null.</param>
    public Tensor Sparse(Tensor? points, Tensor? labels, Tensor? boxes)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        if (points is not null) parts.Add(Points(points, labels!, padded: boxes is null));
        if (boxes is not null) parts.Add(Boxes(boxes));
        return cat(parts, dim: 1).MoveToOuterDisposeScope();
    }

    /// <summary>The map of a mask prompt: logits [B, 1, 4G, 4G] -> [B, P, G, G]; without one [1, P, G, G].</summary>
    public Tensor Dense(Tensor? masks)
    {
        using var scope = NewDisposeScope();
        var map = masks is null ? no_mask_embed.weight!.view(1, -1, 1, 1).expand(1, -1, grid, grid) : mask_downscaling.forward(masks);
        return map.MoveToOuterDisposeScope();
    }

    private Tensor Points(Tensor points, Tensor labels, bool padded)
    {
        var centers = Sum(points, Number(0.5));                                                  // from a pixel's corner to its middle
        if (padded)
        {
            centers = nn.functional.pad(centers, [0, 0, 0, 1]);
            labels = nn.functional.pad(labels, [0, 1], value: Padding);
        }
        var kinds = labels.unsqueeze(-1);                                            // [B, M, 1]
        var code = pe_layer.forward(centers / Number(imageSize)).masked_fill(kinds == Number(Padding), Number(0));
        code = Sum(code, (kinds == Number(Padding)) * not_a_point_embed.weight!);
        code = Sum(code, (kinds == Number(Background)) * point_embeddings[Background].weight!);
        return Sum(code, (kinds == Number(Foreground)) * point_embeddings[Foreground].weight!);
    }

    // [B, 4] -> [B, 2, P]
    private Tensor Boxes(Tensor boxes)
    {
        var corners = Sum(boxes, Number(0.5)).view(-1, 2, 2) / Number(imageSize);
        return Sum(pe_layer.forward(corners), cat([point_embeddings[TopLeft].weight!, point_embeddings[BottomRight].weight!], dim: 0));
    }
}
