using System.Globalization;
using System.Security.Cryptography;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.RankPrograms;

/// <summary>
/// Trains each method for twenty steps on all ranks together and then, on rank 0, alone on the same batches; the weights must be the same but
/// for the order of sums.
/// </summary>
internal static class Equality
{
    private const double Double = 1e-12, Single = 1e-4;

    public static int Run(IRanks ranks, string[] names)
    {
        bool right = true;
        foreach (var (name, create) in Methods.All.Where(m => names.Length == 0 || names.Contains(m.Name)))
        {
            foreach (var type in new[] { ScalarType.Float64, ScalarType.Float32 })
            {
                var (weights, losses) = Train(create, type, ranks);
                byte[][] hashes = ranks.Gather(SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(weights.SelectMany(w => w.Value).ToArray().AsSpan())));
                bool same = hashes.All(h => h.AsSpan().SequenceEqual(hashes[0]));
                right &= same;
                if (!ranks.IsRoot) continue;
                var (alone, lossesAlone) = Train(create, type, OneRank.Instance);
                double off = weights.Max(w => Difference(w.Key, w.Value, alone[w.Key])), moved = Moved(create, type, alone);
                double offLoss = losses.Zip(lossesAlone, (a, b) => Math.Abs(a - b)).Max();
                bool equal = off <= (type == ScalarType.Float64 ? Double : Single) && offLoss <= (type == ScalarType.Float64 ? Double : Single) && moved > 1e-3;
                right &= equal;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{name} {type}: {losses.Count} steps on {ranks.Size} ranks and on one: weights differ by {off:e1}, losses by {offLoss:e1}, of weights that moved by {moved:g2}; ranks {(same ? "alike" : "NOT ALIKE")}: {(equal && same ? "equal" : "DIFFERENT")}"));
            }
        }
        return right ? 0 : 1;
    }

    private static (Dictionary<string, double[]> Weights, IReadOnlyList<double> Losses) Train(
        Func<ScalarType, RankedMethod> create, ScalarType type, IRanks ranks)
    {
        using var method = create(type);
        return (method.Train(ranks), method.Losses);
    }

    private static double Moved(Func<ScalarType, RankedMethod> create, ScalarType type, Dictionary<string, double[]> trained)
    {
        using var method = create(type);
        var start = method.Weights();
        return trained.Max(w => Difference(w.Key, w.Value, start[w.Key]));
    }

    // The key third of qkv biases is left out: its true gradient is 0, so that Adam steps along rounding noise.
    private static double Difference(string name, double[] one, double[] other)
    {
        double most = 0;
        for (int i = 0; i < one.Length; i++)
        {
            bool isKeyBias = name.EndsWith("qkv.bias", StringComparison.Ordinal) && i >= one.Length / 3 && i < one.Length / 3 * 2;
            if (!isKeyBias) most = Math.Max(most, Math.Abs(one[i] - other[i]));
        }
        return most;
    }
}
