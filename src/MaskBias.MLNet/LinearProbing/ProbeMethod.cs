using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>Softmax regression with several linear layers at once; their losses are summed, so that each learns as it would alone.</summary>
internal sealed class ProbeMethod(LinearHeads heads, Tensor? classWeights) : ITrainingMethod<FeatureBatch>
{
    private const long MostLogits = 1 << 24;            // at once, of rows that are not learned from

    private Tensor? weightGradient, biasGradient;       // of the last loss, until they are added to the parameters'
    private IRanks ranks = OneRank.Instance;

    /// <inheritdoc/>
    public IEnumerable<(string Name, Parameter Parameter)> Parameters => [("weight", heads.Weight), ("bias", heads.Bias)];

    /// <inheritdoc/>
    public void JoinRanks(RankShare share) => heads.Ranks = ranks = share.Ranks;

    /// <inheritdoc/>
    public void BeginEpoch(int epoch)
    {
    }

    /// <inheritdoc/>
    public Tensor Loss(FeatureBatch batch, TrainingPosition position)
    {
        using var _ = no_grad();
        var x = heads.Normalized(batch.Features, training: true);                                      // [B, D]
        var logProbabilities = nn.functional.log_softmax(heads.Logits(x), dim: -1);                    // [B, H, K]
        var (ofRows, shares) = (OfRows(logProbabilities, batch.Labels), Shares(batch.Labels));         // [B, H], [B, 1]
        var losses = (ofRows * shares).sum([0L]);                                                      // [H]
        if (ranks.Size > 1)
        {
            ranks.Sum(losses);
            losses.div_(Number(ranks.Size));
        }
        // A layer whose learning rate was too large for it is out of the race, not the end of the race; when all are, it is.
        var isFinite = losses.isfinite();
        bool all = isFinite.all().ToBoolean();
        var index = batch.Labels.view(-1, 1, 1).expand(-1, ofRows.shape[1], 1);
        var residuals = logProbabilities.exp_().scatter_add_(2, index, -ones_like(ofRows).unsqueeze(2)).mul_(shares.unsqueeze(2));
        if (!all) residuals = where(isFinite.view(1, -1, 1), residuals, zeros_like(residuals));
        // ∂L/∂W = (p − y)ᵀx and ∂L/∂b = Σ (p − y), the rows weighted by their shares: the graph would cost more than the products.
        (weightGradient, biasGradient) = (matmul(residuals.flatten(1).t(), x).view_as(heads.Weight), residuals.sum([0L]));
        return all || !isFinite.any().ToBoolean() ? losses.sum() : where(isFinite, losses, zeros_like(losses)).sum();
    }

    /// <inheritdoc/>
    public void Backward(Tensor loss, double scale)
    {
        using var _ = no_grad();
        Add(heads.Weight, weightGradient!);
        Add(heads.Bias, biasGradient!);
        (weightGradient, biasGradient) = (null, null);

        void Add(Parameter parameter, Tensor gradient)
        {
            var scaled = scale == 1 ? gradient : gradient * Number(scale);
            if (parameter.grad is { } sum) sum.add_(scaled, alpha: Number(1));
            else parameter.grad = scaled;
        }
    }

    /// <inheritdoc/>
    public void BeforeUpdate(TrainingPosition position)
    {
    }

    /// <inheritdoc/>
    public void AfterUpdate(TrainingPosition position)
    {
    }

    /// <summary>Loss and share of right answers of every layer on rows held out, [H] each.</summary>
    public (double[] Losses, double[] Accuracies) Evaluate(FeatureBatch rows)
    {
        long count = rows.Labels.shape[0], layers = heads.Bias.shape[0];
        long slice = Math.Max(1, MostLogits / heads.Bias.numel());
        double[] losses = new double[layers], right = new double[layers];
        for (long from = 0; from < count; from += slice)
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            long rest = Math.Min(slice, count - from);
            var labels = rows.Labels.narrow(0, from, rest);
            var logits = heads.Logits(heads.Normalized(rows.Features.narrow(0, from, rest), training: false));          // [b, H, K]
            Add(losses, OfRows(nn.functional.log_softmax(logits, dim: -1), labels));
            Add(right, logits.argmax(-1).eq(labels.unsqueeze(1)));
        }
        return (losses, right);

        void Add(double[] means, Tensor values)             // [b, H]
        {
            double[] sums = values.to_type(ScalarType.Float64).sum([0L]).cpu().data<double>().ToArray();
            for (int layer = 0; layer < layers; layer++) means[layer] += sums[layer] / count;
        }
    }

    // Cross-entropy of each row and layer: [B, H, K], [B] -> [B, H]
    private static Tensor OfRows(Tensor logProbabilities, Tensor labels) =>
        -logProbabilities.gather(2, labels.view(-1, 1, 1).expand(-1, logProbabilities.shape[1], 1)).squeeze(2);

    // What each row counts for in the mean, [B, 1]: as much as its class weighs.
    private Tensor Shares(Tensor labels)
    {
        if (classWeights is null) return full([labels.shape[0], 1], Number(1.0 / labels.shape[0]), ScalarType.Float32, labels.device);
        var weights = classWeights.index_select(0, labels).unsqueeze(1);
        var total = weights.sum();
        return ranks.Size == 1 ? weights / total : weights / Number(ranks.Mean(total.ToDouble()));
    }
}
