using MaskBias.MLNet.Vit;
using TorchSharp;
using static MaskBias.MLNet.Weights.Onnx.OnnxGraph;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.Onnx;

/// <summary>Writes a plain vision transformer as an ONNX graph: from pixels in [0, 255] to features.</summary>
internal sealed class VitGraph
{
    private readonly VisionEncoder encoder;
    private readonly OnnxGraph graph;
    private readonly VitOptions options;
    private readonly Dictionary<string, Tensor> weights;

    public VitGraph(VisionEncoder encoder, OnnxGraph graph)
    {
        (this.encoder, this.graph) = (encoder, graph);
        options = encoder.Model.Options;
        weights = encoder.Model.state_dict();
    }

    /// <summary>Adds the whole transformer between an input and an output of the given names.</summary>
    public void Add(string inputName, string outputName)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        string tokens = Embed(graph.Input(inputName, 3, options.ImageSize, options.ImageSize));
        for (int layer = 0; layer < options.Depth; layer++)
        {
            // Of the last block's tokens only the class token is used, where that is what is pooled: the others are not computed.
            bool classTokenOnly = layer == options.Depth - 1 && options.Pooling == FeaturePooling.ClassToken;
            tokens = Block($"blocks.{layer}", tokens, classTokenOnly);
        }
        Pool(tokens, outputName);
    }

    // pixels [B, 3, S, S] -> tokens [B, 1 + N, D]
    private string Embed(string pixels)
    {
        var (weight, bias) = NormalizingProjection();
        string patches = graph.Node("patch_embed/proj", "Conv",
            [pixels, graph.Weight("patch_embed.proj.weight", weight), graph.Weight("patch_embed.proj.bias", bias)],
            Attribute("kernel_shape", options.PatchSize, options.PatchSize), Attribute("strides", options.PatchSize, options.PatchSize));
        patches = graph.Node("patch_embed/flatten", "Reshape", [patches, graph.Integers("patch_embed/shape", 0, options.EmbedDim, -1)]);
        patches = graph.Node("patch_embed/tokens", "Transpose", [patches], Attribute("perm", 0, 2, 1));

        // A row of zeros in front, to which the sum adds the class token: no shape arithmetic for the batch is needed.
        string rows = graph.Node("cls_token/row", "Pad", [patches, graph.Integers("cls_token/pads", 0, 1, 0, 0, 0, 0)]);
        var positions = encoder.Model.PositionEmbedding(options.ImageSize, options.ImageSize).clone();
        positions[.., ..1] = positions[.., ..1] + weights["cls_token"];
        return graph.Node("pos_embed/sum", "Add", [rows, graph.Weight("pos_embed", positions)]);
    }

    // conv(w, scale·x + shift) = conv(scale·w, x) + Σ shift·w: the projection takes the normalisation in. There is no padding.
    private (Tensor Weight, Tensor Bias) NormalizingProjection()
    {
        var (mean, deviation) = (encoder.Normalization.Mean, encoder.Normalization.Deviation);
        var scale = tensor(deviation.Select(d => 1 / (255.0 * d)).ToArray()).view(1, 3, 1, 1);
        var shift = tensor(mean.Zip(deviation, (m, d) => -m / (double)d).ToArray()).view(1, 3, 1, 1);
        var weight = Read("patch_embed.proj.weight").to(ScalarType.Float64);
        var bias = Read("patch_embed.proj.bias") + (weight * shift).sum([1, 2, 3]);
        return (weight * scale, bias);
    }

    // x ← x + attention(norm1 x); x ← x + mlp(norm2 x)
    private string Block(string name, string tokens, bool classTokenOnly)
    {
        string normal = Norm($"{name}.norm1", tokens), queries = normal;
        if (classTokenOnly)
        {
            tokens = Rows($"{name}/cls_token", tokens, 0, 1);
            queries = Rows($"{name}/cls_token/norm1", normal, 0, 1);
        }
        tokens = graph.Node($"{name}/attn/residual", "Add", [tokens, Attention($"{name}.attn", queries, normal)]);
        string hidden = Gelu($"{name}/mlp/gelu", Linear($"{name}.mlp.fc1", Norm($"{name}.norm2", tokens)));
        return graph.Node($"{name}/mlp/residual", "Add", [tokens, Linear($"{name}.mlp.fc2", hidden)]);
    }

    // softmax(QKᵀ/√d) V, the scale inside Q's weights
    private string Attention(string name, string queries, string tokens)
    {
        var (weight, bias) = (Read($"{name}.qkv.weight").chunk(3), Read($"{name}.qkv.bias").chunk(3));
        double scale = 1 / Math.Sqrt(options.EmbedDim / options.Heads);
        string query = Heads($"{name}.q", Linear($"{name}.q", queries, weight[0] * scale, bias[0] * scale), 0, 2, 1, 3);
        string key = Heads($"{name}.k", Linear($"{name}.k", tokens, weight[1], bias[1]), 0, 2, 3, 1);
        string value = Heads($"{name}.v", Linear($"{name}.v", tokens, weight[2], bias[2]), 0, 2, 1, 3);

        string logits = graph.Node($"{name}/logits", "MatMul", [query, key]);
        string map = graph.Node($"{name}/softmax", "Softmax", [logits], Attribute("axis", -1));
        string mixed = graph.Node($"{name}/mix", "MatMul", [map, value]);                  // [B, h, N, d]
        mixed = graph.Node($"{name}/merge/transpose", "Transpose", [mixed], Attribute("perm", 0, 2, 1, 3));
        mixed = graph.Node($"{name}/merge", "Reshape", [mixed, graph.Integers("merge/shape", 0, 0, options.EmbedDim)]);
        return Linear($"{name}.proj", mixed);
    }

    // [B, N, D] -> [B, N, h, d], then permuted
    private string Heads(string name, string tokens, params long[] permutation)
    {
        string shape = graph.Integers("heads/shape", 0, 0, options.Heads, options.EmbedDim / options.Heads);
        string split = graph.Node($"{name}/split", "Reshape", [tokens, shape]);
        return graph.Node($"{name}/heads", "Transpose", [split], Attribute("perm", permutation));
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

    private void Pool(string tokens, string outputName)
    {
        long[] size = [options.EmbedDim];
        if (options.Pooling == FeaturePooling.ClassToken)
        {
            graph.Output(outputName, size, "Squeeze", [Norm("norm", tokens), graph.Integers("squeeze/axes", 1)]);
        }
        else
        {
            string patches = Norm("norm", Rows("patches", tokens, 1, long.MaxValue));
            graph.Output(outputName, size, "ReduceMean", [patches], Attribute("axes", [1L]), Attribute("keepdims", 0));
        }
    }

    private string Rows(string name, string tokens, long begin, long end) =>
        graph.Node(name, "Slice",
            [tokens, graph.Integers("slice/begin", begin), graph.Integers("slice/end", end), graph.Integers("slice/axes", 1)]);

    private string Norm(string name, string tokens) =>
        graph.Node(name, "LayerNormalization",
            [tokens, graph.Weight($"{name}.weight", Read($"{name}.weight")), graph.Weight($"{name}.bias", Read($"{name}.bias"))],
            Attribute("axis", -1), Attribute("epsilon", (float)VisionTransformer.NormEpsilon));

    private string Linear(string name, string x) => Linear(name, x, Read($"{name}.weight"), Read($"{name}.bias"));

    // weight [out, in] is stored transposed, as MatMul takes it
    private string Linear(string name, string x, Tensor weight, Tensor bias)
    {
        string product = graph.Node($"{name}/matmul", "MatMul", [x, graph.Weight($"{name}.weight", weight.t())]);
        return graph.Node(name, "Add", [product, graph.Weight($"{name}.bias", bias)]);
    }

    private Tensor Read(string name) => weights[name].detach().cpu();
}
