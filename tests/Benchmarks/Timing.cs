using System.Diagnostics;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>Times work so that what else the machine does weighs little.</summary>
internal static class Timing
{
    /// <summary>Seconds of one call of each action: the median of several rounds, in which the actions take turns.</summary>
    public static double[] Medians(int rounds, params Action[] actions)
    {
        foreach (var action in actions) action();                   // compiled and warm
        var seconds = actions.Select(_ => new double[rounds]).ToArray();
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < actions.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                actions[i]();
                seconds[i][round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        }
        return [.. seconds.Select(Median)];
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}
