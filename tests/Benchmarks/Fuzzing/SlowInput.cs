using System.Diagnostics;

namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>Tells an input that takes long from one that other work on the machine held up.</summary>
internal static class SlowInput
{
    private const int Tries = 3;

    /// <summary>The seconds of a first try, or, where they are more than is allowed, of the best of a few more.</summary>
    public static double Best(double first, double allowed, Action read)
    {
        double best = first;
        for (int i = 0; i < Tries && best > allowed; i++)
        {
            long start = Stopwatch.GetTimestamp();
            try
            {
                read();
            }
            catch (Exception e) when (e is InvalidDataException or FormatException)
            {
                // Refused, as before.
            }
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }
}
