using MaskBias.MLNet.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>Softmax regression with several linear layers at once; their losses are summed, so that each learns as it would alone.</summary>
internal sealed class ProbeMethod(LinearHeads heads, Tensor? classWeights) : ITrainingMethod<FeatureBatch>
{
    /// <inheritdoc/>
    public IEnumerable<(string Name, Parameter Parameter)> Parameters => [("weight", heads.Weight), ("bias", heads.Bias)];

    /// <inheritdoc/>
    public void BeginEpoch(int epoch)
    {
    }

    /// <inheritdoc/>
    public Tensor Loss(FeatureBatch batch, TrainingPosition position)
    {
        var losses = Losses(heads.Forward(batch.Features, training: true), batch.Labels, classWeights);
        // A layer whose learning rate was too large for it is out of the race, not the end of the race; when all are, it is.
        var finite = losses.isfinite();
        return finite.any().ToBoolean() ? where(finite, losses, zeros_like(losses)).sum() : losses.sum();
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
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var logits = heads.Forward(rows.Features, training: false);                                    // [B, H, K]
        var right = logits.argmax(-1).eq(rows.Labels.unsqueeze(1)).to_type(ScalarType.Float64).mean([0]);
        return (Values(Losses(logits, rows.Labels, null)), Values(right));

        static double[] Values(Tensor row) => row.to_type(ScalarType.Float64).cpu().data<double>().ToArray();
    }

    // Mean cross-entropy of each layer, weighted by class: [B, H, K], [B] -> [H]
    private static Tensor Losses(Tensor logits, Tensor labels, Tensor? classWeights)
    {
        var index = labels.view(-1, 1, 1).expand(-1, logits.shape[1], 1);
        var ofRows = -nn.functional.log_softmax(logits, dim: -1).gather(2, index).squeeze(2);         // [B, H]
        if (classWeights is null) return ofRows.mean([0]);
        var weights = classWeights.index_select(0, labels).unsqueeze(1);
        return (ofRows * weights).sum([0L]) / weights.sum();
    }
}
