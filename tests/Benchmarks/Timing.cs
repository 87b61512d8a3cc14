using System.Diagnostics;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>Times work so that what else the machine does weighs little.</summary>
internal static class Timing
{
    /// <summary>Seconds of one call of each action: the median of several rounds, in which the actions take turns.</summary>
    public static double[] Medians(int rounds, params Action[] actions) => [.. Rounds(rounds, actions).Select(Median)];

    /// <summary>
    /// The same for two, and the median of what the second takes of the first's time in the same round: a machine is faster one minute than the
    /// next.
    /// </summary>
    public static (double First, double Second, double Ratio) Compare(int rounds, Action first, Action second)
    {
        double[][] seconds = Rounds(rounds, first, second);
        return (Median(seconds[0]), Median(seconds[1]), Median([.. seconds[0].Zip(seconds[1], (a, b) => b / a)]));
    }

    private static double[][] Rounds(int rounds, params Action[] actions)
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
        return seconds;
    }

    /// <summary>The middle one, or the upper of two.</summary>
    public static double Median(IReadOnlyCollection<double> values) => values.Order().ElementAt(values.Count / 2);
}
