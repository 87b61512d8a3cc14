using System.Globalization;
using System.Text;
using MaskBias.MLNet.Distributed;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.RankPrograms;

/// <summary>Each exchange gives every rank what it must, for sizes from one value to several messages' worth.</summary>
internal static class Exchange
{
    public static int Run(IRanks ranks)
    {
        bool right = true;
        int expected = Enumerable.Range(1, ranks.Size).Sum();
        foreach (var type in new[] { ScalarType.Float32, ScalarType.Float64 })
        {
            foreach (int count in new[] { 1, 1000, 1 << 20 })
            {
                using var values = full([count], ranks.Rank + 1, type);
                ranks.Sum(values);
                right &= values.eq(expected).all().ToBoolean();
            }
        }
        using var fromRoot = tensor(ranks.Rank == 0 ? new long[] { 7, 8, 9 } : [0, 0, 0]);
        ranks.Broadcast(fromRoot);
        right &= fromRoot.data<long>().ToArray().SequenceEqual([7L, 8, 9]);
        string[] all = [.. ranks.Gather(Encoding.UTF8.GetBytes(new string('x', ranks.Rank * 5))).Select(Encoding.UTF8.GetString)];
        right &= all.SequenceEqual(Enumerable.Range(0, ranks.Size).Select(r => new string('x', r * 5)));
        right &= ranks.Mean(ranks.Rank) == (ranks.Size - 1) / 2.0 && ranks.FromRoot(ranks.Rank + 5) == 5;
        if (ranks.IsRoot)
        {
            string library = ranks is MpiRanks ? MpiWorld.Join().LibraryVersion : "none";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ranks.Size} ranks, {library}: {(right ? "right" : "WRONG")}"));
        }
        return right ? 0 : 1;
    }
}
