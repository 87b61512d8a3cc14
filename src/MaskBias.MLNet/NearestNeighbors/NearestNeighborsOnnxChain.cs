using Google.Protobuf;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using static MaskBias.MLNet.Weights.Onnx.OnnxGraph;
using static TorchSharp.torch;

namespace MaskBias.MLNet.NearestNeighbors;

/// <summary>
/// A nearest-neighbour classifier as ML.NET's own transformers: an ONNX model computes the logarithm of the votes, and a maximum-entropy
/// model whose weights are the identity makes Score and PredictedLabel of it, since softmax(log v) = v where the votes sum to 1.
/// </summary>
internal static class NearestNeighborsOnnxChain
{
    private const float SmallestNorm = 1e-12f, SmallestVote = 1e-30f;

    /// <summary>Builds the chain; the caller disposes it.</summary>
    public static TransformerChain<ITransformer> Build(
        MLContext context, string featureColumnName, LabelColumn label, NearestNeighborClassifier classifier)
    {
        string votes = $"__{featureColumnName}.votes", copy = $"__{featureColumnName}.logits";
        NativeEnvironment.KeepOnnxRuntimePrivate();
        byte[] model = Export(classifier, featureColumnName, votes);
        IDataView data = new FeatureTable<uint>(
            new(label.Name, label.Type, label.Annotations), [], featureColumnName, [], (0, classifier.FeatureDim));
        var steps = new List<ITransformer>();
        Add(OnnxLoading.Retried(() => context.Transforms.ApplyOnnxModel(votes, featureColumnName, new MemoryStream(model))).Fit(data));
        Add(context.Transforms.Expression(copy, "x : x", votes).Fit(data));         // Vector<Single, K> of Vector<Single, 1, K>
        Add(Identity(classifier.Classes).ToTransformer(context, data.Schema, copy, label));
        Add(context.Transforms.DropColumns(votes, copy).Fit(data));
        return new([.. steps]);

        void Add(ITransformer step)
        {
            steps.Add(step);
            data = step.Transform(data);
        }
    }

    private static LinearClassifier Identity(int classes)
    {
        float[][] rows = [.. Enumerable.Range(0, classes).Select(i => new float[classes])];
        for (int i = 0; i < classes; i++) rows[i][i] = 1;
        return new(rows, new float[classes]);
    }

    // [B, D] -> the logarithm of each class' share of the votes, [B, K]
    private static byte[] Export(NearestNeighborClassifier classifier, string input, string output)
    {
        int rows = classifier.Rows.Count, width = classifier.FeatureDim, classes = classifier.Classes;
        var graph = new OnnxGraph(BatchDimension, halfPrecision: false, input, output);
        using var scope = NewDisposeScope();
        string features = graph.Input(input, width), last = graph.Integers("last_axis", -1);

        string norm = graph.Node("norm", "ReduceL2", [features, last]);
        string length = graph.Node("norm/floor", "Max", [norm, graph.Scalar("smallest_norm", SmallestNorm)]);
        string unit = graph.Node("unit", "Div", [features, length]);
        var train = tensor(classifier.Rows.SelectMany(r => r).ToArray()).view(rows, width).t();
        string similarity = graph.Node("similarity", "MatMul", [unit, graph.Weight("train", train)]);                   // [B, n]
        string[] nearest = graph.Nodes("TopK", ["nearest", "nearest/rows"], [similarity, graph.Integers("k", classifier.Neighbours)]);
        string best = graph.Node("best", "ReduceMax", [nearest[0], last]);
        string scaled = graph.Node("scaled", "Div",
            [graph.Node("difference", "Sub", [nearest[0], best]), graph.Scalar("temperature", (float)classifier.Temperature)]);
        string weights = graph.Node("weights", "Unsqueeze", [graph.Node("exp", "Exp", [scaled]), last]);                // [B, k, 1]

        string ofRows = graph.Integers("classes", [.. classifier.Labels.Select(l => (long)l)]), values = graph.Weight("values", tensor(new[] { 0f, 1f }));
        string labels = graph.Node("labels", "Gather", [ofRows, nearest[1]]);
        string hot = graph.Node("one_hot", "OneHot", [labels, graph.Integers("count", classes), values]);               // [B, k, K]
        string weighted = graph.Node("weighted", "Mul", [weights, hot]);
        string votes = graph.Node("votes", "ReduceSum", [weighted, graph.Integers("neighbours", 1)], Attribute("keepdims", 0L));      // [B, K]
        string share = graph.Node("share", "Div", [votes, graph.Node("sum", "ReduceSum", [votes, last])]);
        string floor = graph.Node("share/floor", "Max", [share, graph.Scalar("smallest_vote", SmallestVote)]);
        graph.Output(output, [classes], "Log", [floor]);
        return graph.Build($"Nearest neighbours: features [batch, {width}] to the logarithm of {classes} classes' votes.").ToByteArray();
    }
}
