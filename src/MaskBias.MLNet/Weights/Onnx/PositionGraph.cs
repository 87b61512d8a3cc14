using MaskBias.MLNet.Vit;
using TorchSharp;
using static MaskBias.MLNet.Weights.Onnx.OnnxGraph;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.Onnx;

/// <summary>Resamples the patches' position embedding inside an ONNX graph, for images of any size, as the encoder itself does.</summary>
internal static class PositionGraph
{
    /// <summary>Adds the resampling.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="model">The encoder.</param>
    /// <param name="patches">Anything of shape [B, D, rows, columns].</param>
    /// <returns>The name of [1, N, D].</returns>
    public static string Add(OnnxGraph graph, VisionTransformer model, string patches)
    {
        using var scope = NewDisposeScope();
        var options = model.Options;
        long side = options.GridSize, width = options.EmbedDim;
        var own = model.PositionEmbedding(options.ImageSize, options.ImageSize)[.., 1..].cpu();              // [1, M·M, D]
        string grid = graph.Weight("pos_embed", own.reshape(1, side, side, width).permute(0, 3, 1, 2));
        string count = graph.Node("pos_embed/count", "Shape", [patches], Attribute("start", 2));            // rows, columns
        string resized = options.PositionResampling == PositionResampling.Offset
            ? Resize(graph, grid, ["", Scales(count), ""], antialias: false)
            : Resize(graph, grid, ["", "", Sizes(count)], options.PositionResampling == PositionResampling.Antialiased);
        return graph.Flatten("pos_embed", resized, width);

        string Sizes(string rowsAndColumns) =>
            graph.Node("pos_embed/sizes", "Concat", [graph.Integers("pos_embed/outer", 1, width), rowsAndColumns], Attribute("axis", 0));

        // (patches + 0.1)/M; but 1, that is no change, for M·M patches
        string Scales(string rowsAndColumns)
        {
            string floats = graph.Node("pos_embed/float", "Cast", [rowsAndColumns], Attribute("to", 1L));
            string offset = graph.Node("pos_embed/offset", "Add", [floats, graph.Scalar("pos_embed/0.1", 0.1f)]);
            string scales = graph.Node("pos_embed/scale", "Div", [offset, graph.Scalar("pos_embed/side", side)]);

            string own = graph.Node("pos_embed/own", "Equal", [rowsAndColumns, graph.Integers("pos_embed/grid", side, side)]);
            string turned = graph.Node("pos_embed/turned", "Gather", [own, graph.Integers("pos_embed/turn", 1, 0)]);
            string unchanged = graph.Node("pos_embed/unchanged", "And", [own, turned]);
            string chosen = graph.Node("pos_embed/chosen", "Where", [unchanged, graph.Scalar("pos_embed/one", 1), scales]);
            using var ones = torch.ones(2);
            return graph.Node("pos_embed/scales", "Concat", [graph.Weight("pos_embed/ones", ones), chosen], Attribute("axis", 0));
        }
    }

    // PyTorch's bicubic: half-pixel centres, borders repeated; with antialiasing another cubic, whose weights are cut at the border.
    private static string Resize(OnnxGraph graph, string grid, string[] region, bool antialias) =>
        graph.Node("pos_embed/resize", "Resize", [grid, .. region],
            Attribute("mode", "cubic"), Attribute("coordinate_transformation_mode", "half_pixel"),
            Attribute("cubic_coeff_a", antialias ? -0.5f : -0.75f), Attribute("antialias", antialias ? 1L : 0L),
            Attribute("exclude_outside", antialias ? 1L : 0L));
}
