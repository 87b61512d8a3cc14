using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training;
using static TorchSharp.torch;

namespace MaskBias.MLNet.RankPrograms;

/// <summary>A method that sees batches of one kind.</summary>
/// <param name="plan">Its schedules.</param>
/// <param name="method">The method.</param>
/// <param name="batch">A batch's own rows: of part number i of the run.</param>
/// <param name="optimizer">Makes the optimizer; null for AdamW.</param>
/// <param name="owned">What it frees.</param>
internal sealed class RankedMethodOf<TBatch>(
    TrainingPlan plan, ITrainingMethod<TBatch> method, Func<int, OwnRows, TBatch> batch, Func<IOptimizer>? optimizer, params IDisposable[] owned)
    : RankedMethod where TBatch : IDisposable
{
    public override Dictionary<string, double[]> Train(IRanks ranks)
    {
        var share = RankShare.Of(ranks, Batch / plan.AccumulationSteps);
        if (ranks.Size > 1) method.JoinRanks(share);
        using var reducer = new GradientReducer(ranks, share.Borders, bucketBytes: 5000);
        using var loop = new TrainingLoop<TBatch>(plan, method, optimizer?.Invoke()) { Reducer = ranks.Size > 1 ? reducer : null };
        if (ranks.Size > 1) loop.State.Broadcast(ranks);
        loop.Run(next => Enumerable.Range((int)next.Step * plan.AccumulationSteps, StepsPerEpoch * plan.AccumulationSteps).Select(i => batch(i, share.Rows)));
        Losses = [.. loop.Losses];
        return Weights();
    }

    public override Dictionary<string, double[]> Weights() => method.State.ToDictionary(t => t.Key, t => Values(t.Value));

    public override void Dispose()
    {
        foreach (var part in owned) part.Dispose();
    }
}
