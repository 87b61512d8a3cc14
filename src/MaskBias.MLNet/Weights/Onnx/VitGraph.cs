using MaskBias.MLNet.Vit;
using TorchSharp;
using static MaskBias.MLNet.Weights.Onnx.OnnxGraph;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.Onnx;

/// <summary>Writes a plain vision transformer as an ONNX graph: from pixels in [0, 255] to the outputs chosen.</summary>
internal sealed class VitGraph
{
    private readonly VisionEncoder encoder;
    private readonly OnnxGraph graph;
    private readonly OnnxExportOptions names;
    private readonly VitOptions options;
    private readonly Dictionary<string, Tensor> weights;

    public VitGraph(VisionEncoder encoder, OnnxGraph graph, OnnxExportOptions names)
    {
        (this.encoder, this.graph, this.names) = (encoder, graph, names);
        options = encoder.Model.Options;
        weights = encoder.Model.state_dict();
    }

    // Of the last block's tokens only the class token is used, where nothing but it is asked for: the others are not computed.
    private bool ClassTokenSuffices => !Wants(OnnxOutputs.PatchTokens) && !Wants(OnnxOutputs.LastAttention)
        && (!Wants(OnnxOutputs.Features)
            || (names.Blocks is { } blocks ? !blocks.AppendPatchMean : options.Pooling == FeaturePooling.ClassToken));

    /// <summary>Adds the whole transformer between the input and the outputs.</summary>
    public void Add()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        string tokens = Embed();
        var outputs = new List<string>();
        for (int layer = 0; layer < options.Depth; layer++)
        {
            tokens = Block($"blocks.{layer}", tokens, layer == options.Depth - 1);
            outputs.Add(tokens);
        }
        AddOutputs(outputs);
    }

    private bool Wants(OnnxOutputs output) => names.Outputs.HasFlag(output);

    // pixels [B, 3, H, W] -> tokens [B, 1 + R + N, D]
    private string Embed()
    {
        string pixels = names.DynamicImageSize
            ? graph.Input(names.InputName, 3, "height", "width")
            : graph.Input(names.InputName, 3, options.ImageSize, options.ImageSize);
        var (weight, bias) = NormalizingProjection();
        string grid = graph.Node("patch_embed/proj", "Conv",
            [pixels, graph.Weight("patch_embed.proj.weight", weight), graph.Weight("patch_embed.proj.bias", bias)],
            Attribute("kernel_shape", options.PatchSize, options.PatchSize), Attribute("strides", options.PatchSize, options.PatchSize));
        string patches = graph.Flatten("patch_embed", grid, options.EmbedDim);

        // Rows of zeros in front, to which the sum adds the class token and the registers: no shape arithmetic for the batch is needed.
        string rows = graph.Node("prefix/rows", "Pad", [patches, graph.Integers("prefix/pads", 0, options.PrefixTokens, 0, 0, 0, 0)]);
        return graph.Node("pos_embed/sum", "Add", [rows, Constants(grid)]);
    }

    // What is added to the patches and the rows before them, [1, 1 + R + N, D].
    private string Constants(string grid)
    {
        if (!names.DynamicImageSize)
        {
            var positions = encoder.Model.PositionEmbedding(options.ImageSize, options.ImageSize).cpu();
            return graph.Weight("pos_embed", cat([Prefix(), positions[.., 1..]], dim: 1));
        }
        string prefix = graph.Weight("prefix", Prefix()), resampled = PositionGraph.Add(graph, encoder.Model, grid);
        return graph.Node("pos_embed/all", "Concat", [prefix, resampled], Attribute("axis", 1));
    }

    // the class token with its position, and the registers: [1, 1 + R, D]
    private Tensor Prefix()
    {
        var first = Sum(Read("cls_token"), encoder.Model.PositionEmbedding(options.ImageSize, options.ImageSize)[.., ..1].cpu());
        return options.RegisterTokens == 0 ? first : cat([first, Read("register_tokens")], dim: 1);
    }

    // conv(w, scale·x + shift) = conv(scale·w, x) + Σ shift·w: the projection takes the normalisation in. There is no padding.
    private (Tensor Weight, Tensor Bias) NormalizingProjection()
    {
        var (mean, deviation) = (encoder.Normalization.Mean, encoder.Normalization.Deviation);
        var scale = tensor(deviation.Select(d => 1 / (255.0 * d)).ToArray()).view(1, 3, 1, 1);
        var shift = tensor(mean.Zip(deviation, (m, d) => -m / (double)d).ToArray()).view(1, 3, 1, 1);
        var weight = Read("patch_embed.proj.weight").to(ScalarType.Float64);
        var bias = Sum(Read("patch_embed.proj.bias"), (weight * shift).sum([1, 2, 3]));
        return (weight * scale, bias);
    }

    // x ← x + γ₁·attention(norm1 x); x ← x + γ₂·mlp(norm2 x)
    private string Block(string name, string tokens, bool isLast)
    {
        string normal = Norm($"{name}.norm1", tokens), queries = normal;
        if (isLast && ClassTokenSuffices)
        {
            tokens = Rows($"{name}/cls_token", tokens, 0, 1);
            queries = Rows($"{name}/cls_token/norm1", normal, 0, 1);
        }
        string mixed = Attention($"{name}.attn", queries, normal, Scale($"{name}.ls1"), isLast && Wants(OnnxOutputs.LastAttention));
        tokens = graph.Node($"{name}/attn/residual", "Add", [tokens, mixed]);
        string branch = FeedForward($"{name}.mlp", Norm($"{name}.norm2", tokens), Scale($"{name}.ls2"));
        return graph.Node($"{name}/mlp/residual", "Add", [tokens, branch]);
    }

    // softmax(QKᵀ/√d) V, the scale inside Q's weights
    private string Attention(string name, string queries, string tokens, Tensor? layerScale, bool isOutput)
    {
        var (weight, bias) = (Read($"{name}.qkv.weight").chunk(3), Read($"{name}.qkv.bias").chunk(3));
        double scale = 1 / Math.Sqrt(options.EmbedDim / options.Heads);
        string query = Heads($"{name}.q", Linear($"{name}.q", queries, weight[0] * Number(scale), bias[0] * Number(scale)), 0, 2, 1, 3);
        string key = Heads($"{name}.k", Linear($"{name}.k", tokens, weight[1], bias[1]), 0, 2, 3, 1);
        string value = Heads($"{name}.v", Linear($"{name}.v", tokens, weight[2], bias[2]), 0, 2, 1, 3);

        string logits = graph.Node($"{name}/logits", "MatMul", [query, key]);
        string map = graph.Node($"{name}/softmax", "Softmax", [logits], Attribute("axis", -1));
        if (isOutput) graph.Output(names.LastAttentionName, [options.Heads, Count("tokens"), Count("tokens")], "Identity", [map]);
        string mixed = graph.Node($"{name}/mix", "MatMul", [map, value]);                  // [B, h, N, d]
        mixed = graph.Node($"{name}/merge/transpose", "Transpose", [mixed], Attribute("perm", 0, 2, 1, 3));
        mixed = graph.Node($"{name}/merge", "Reshape", [mixed, graph.Integers("merge/shape", 0, 0, options.EmbedDim)]);
        return Linear($"{name}.proj", mixed, layerScale);
    }

    // [B, N, D] -> [B, N, h, d], then permuted
    private string Heads(string name, string tokens, params long[] permutation)
    {
        string shape = graph.Integers("heads/shape", 0, 0, options.Heads, options.EmbedDim / options.Heads);
        string split = graph.Node($"{name}/split", "Reshape", [tokens, shape]);
        return graph.Node($"{name}/heads", "Transpose", [split], Attribute("perm", permutation));
    }

    private string FeedForward(string name, string tokens, Tensor? layerScale)
    {
        if (options.FeedForward == FeedForwardKind.Mlp)
            return Linear($"{name}.fc2", Gelu($"{name}/gelu", Linear($"{name}.fc1", tokens)), layerScale);

        var (weight, bias) = (Read($"{name}.w12.weight").chunk(2), Read($"{name}.w12.bias").chunk(2));
        string gate = Linear($"{name}.w1", tokens, weight[0], bias[0]), value = Linear($"{name}.w2", tokens, weight[1], bias[1]);
        string silu = graph.Node($"{name}/silu", "Mul", [gate, graph.Node($"{name}/sigmoid", "Sigmoid", [gate])]);
        return Linear($"{name}.w3", graph.Node($"{name}/gated", "Mul", [silu, value]), layerScale);
    }

    // x·(1 + erf(x/√2))·½: in this order ONNX Runtime makes one fused operation of it and of the bias before.
    private string Gelu(string name, string x)
    {
        string scaled = graph.Node($"{name}/div", "Div", [x, graph.Scalar($"{name}/sqrt2", MathF.Sqrt(2))]);
        string erf = graph.Node($"{name}/erf", "Erf", [scaled]);
        string shifted = graph.Node($"{name}/add", "Add", [erf, graph.Scalar($"{name}/one", 1)]);
        string product = graph.Node($"{name}/mul", "Mul", [x, shifted]);
        return graph.Node($"{name}/half", "Mul", [product, graph.Scalar($"{name}/0.5", 0.5f)]);
    }

    private void AddOutputs(List<string> blocks)
    {
        bool normalizedMean = options.Pooling == FeaturePooling.NormalizedMean;
        string final = Final(blocks[^1]);
        string squeeze = graph.Integers("squeeze/axes", 1);
        OnnxDimension[] size = [options.EmbedDim];
        if (Wants(OnnxOutputs.ClassToken))
            graph.Output(names.ClassTokenName, size, "Squeeze", [Rows("class_token/row", final, 0, 1), squeeze]);
        if (Wants(OnnxOutputs.PatchTokens))
        {
            graph.Output(names.PatchTokensName, [Count("patches"), options.EmbedDim], "Identity",
                [Rows("patch_tokens/rows", final, options.PrefixTokens, long.MaxValue)]);
        }
        if (!Wants(OnnxOutputs.Features)) return;
        if (names.Blocks is { } chosen)
        {
            AddBlockFeatures(chosen, blocks, final);
            return;
        }
        if (options.Pooling == FeaturePooling.ClassToken)
        {
            graph.Output(names.OutputName, size, "Squeeze", [Rows("features/row", final, 0, 1), squeeze]);
            return;
        }
        string patches = Rows("features/patches", final, options.PrefixTokens, long.MaxValue);
        string mean = graph.Node("features/mean", "ReduceMean", [patches, graph.Integers("mean/axes", 1)]);
        graph.Output(names.OutputName, size, "Squeeze", [normalizedMean ? Norm("norm", mean) : mean, squeeze]);
    }

    // Class tokens of the last blocks, each after the final normalisation, and the mean of the last one's patches.
    private void AddBlockFeatures(BlockFeatureOptions chosen, List<string> blocks, string final)
    {
        var first = blocks.TakeLast(chosen.LastBlocks).SkipLast(1).Select(tokens => Final(Rows("features/class_token", tokens, 0, 1)));
        List<string> parts = chosen.LastBlocks == 0 ? [] : [.. first, Rows("features/class_token", final, 0, 1)];     // [B, 1, D] each
        if (chosen.AppendPatchMean)
        {
            string patches = Rows("features/patches", final, options.PrefixTokens, long.MaxValue);
            parts.Add(graph.Node("features/mean", "ReduceMean", [patches, graph.Integers("mean/axes", 1)]));
        }
        string all = graph.Node("features/concat", "Concat", [.. parts], Attribute("axis", -1));
        graph.Output(names.OutputName, [chosen.Dimension(options)], "Squeeze", [all, graph.Integers("squeeze/axes", 1)]);
    }

    // The final normalisation, which with NormalizedMean is for the feature alone.
    private string Final(string tokens) => options.Pooling == FeaturePooling.NormalizedMean ? tokens : Norm("norm", tokens);

    private OnnxDimension Count(string what)
    {
        if (names.DynamicImageSize) return what;
        return options.GridSize * options.GridSize + (what == "tokens" ? options.PrefixTokens : 0);
    }

    private string Rows(string name, string tokens, long begin, long end) =>
        graph.Node(name, "Slice",
            [tokens, graph.Integers("slice/begin", begin), graph.Integers("slice/end", end), graph.Integers("slice/axes", 1)]);

    private string Norm(string name, string tokens) =>
        graph.Node(name, "LayerNormalization",
            [tokens, graph.Weight($"{name}.weight", Read($"{name}.weight")), graph.Weight($"{name}.bias", Read($"{name}.bias"))],
            Attribute("axis", -1), Attribute("epsilon", (float)options.NormEpsilon));

    // γ of LayerScale, or null
    private Tensor? Scale(string name) => options.LayerScale is null ? null : Read($"{name}.gamma");

    // γ·(W·x + b) = (γ·W)·x + γ·b
    private string Linear(string name, string x, Tensor? scale = null)
    {
        var (weight, bias) = (Read($"{name}.weight"), Read($"{name}.bias"));
        return scale is null ? Linear(name, x, weight, bias) : Linear(name, x, weight * scale.unsqueeze(1), bias * scale);
    }

    // weight [out, in] is stored transposed, as MatMul takes it
    private string Linear(string name, string x, Tensor weight, Tensor bias)
    {
        string product = graph.Node($"{name}/matmul", "MatMul", [x, graph.Weight($"{name}.weight", weight.t())]);
        return graph.Node(name, "Add", [product, graph.Weight($"{name}.bias", bias)]);
    }

    private Tensor Read(string name) => weights[name].detach().cpu();
}
