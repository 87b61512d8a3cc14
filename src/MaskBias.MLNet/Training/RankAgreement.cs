using System.Globalization;
using System.Text.Json;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training.Output;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>Brings the ranks of a run to one state before its first step.</summary>
internal static class RankAgreement
{
    /// <summary>Refuses ranks that were started with other options or see other images.</summary>
    /// <exception cref="InvalidOperationException">A rank differs from rank 0; each difference is named.</exception>
    public static void Check(IRanks ranks, RunDescription mine)
    {
        if (ranks.Size == 1) return;
        var all = ranks.Gather(JsonSerializer.SerializeToUtf8Bytes(mine)).Select(bytes => JsonSerializer.Deserialize<RunDescription>(bytes)!).ToList();
        for (int rank = 1; rank < all.Count; rank++)
        {
            string[] differences = [.. all[rank].DifferencesFrom(all[0])];
            if (differences.Length == 0) continue;
            throw new InvalidOperationException($"Rank {rank} is not of the same run as rank 0:{string.Concat(differences.Select(d => "\n  - " + d))}\n"
                + "Start every process with the same options, on the same images.");
        }
    }

    /// <summary>The same for a run that keeps no description of itself.</summary>
    /// <param name="ranks">The ranks.</param>
    /// <param name="phase">What it trains.</param>
    /// <param name="seed">Its seed.</param>
    /// <param name="data">Gives what stands for the rows that it learns from; several ranks alone look at it.</param>
    /// <param name="options">Its options.</param>
    /// <param name="batch">Images of a batch.</param>
    /// <exception cref="InvalidOperationException">A rank differs from rank 0; each difference is named.</exception>
    public static void Check(IRanks ranks, string phase, int seed, Func<string> data, object options, int batch)
    {
        if (ranks.Size == 1) return;
        Check(ranks, new()
        {
            Phase = phase, Seed = seed, Data = data(), Options = OptionsDescription.Of(options), Adjustments = [],
            Resolved = new Dictionary<string, string> { [RunDescription.BatchSize] = batch.ToString(CultureInfo.InvariantCulture) },
        });
    }

    /// <summary>Takes up the checkpoint that rank 0 found, if any, and gives every rank rank 0's state.</summary>
    public static void Start<TBatch>(IRanks ranks, TrainingLoop<TBatch> loop, (string Path, TrainingPosition Next)? checkpoint)
        where TBatch : IDisposable
    {
        if (ranks.Size == 1)
        {
            if (checkpoint is { } alone) loop.Resume(alone.Next, state => CheckpointFolder.Load(alone.Path, state));
            return;
        }
        using var place = tensor(checkpoint is { } found ? new long[] { 1, found.Next.Epoch, found.Next.Step } : [0, 0, 0]);
        ranks.Broadcast(place);
        long[] next = place.data<long>().ToArray();
        if (next[0] == 0)
        {
            loop.State.Broadcast(ranks);
            return;
        }
        loop.Resume(new((int)next[1], next[2]), state =>
        {
            if (checkpoint is { } kept) CheckpointFolder.Load(kept.Path, state);
            state.Broadcast(ranks);
        });
    }
}
