using System.Diagnostics;

namespace MaskBias.MLNet.Tests;

/// <summary>Assertions on how long something takes.</summary>
internal static class Pace
{
    private const int Tries = 5;

    /// <summary>Asserts that the best of a few tries takes no longer than a limit: other work on the machine holds single ones up.</summary>
    public static void AssertWithin(TimeSpan limit, Action act, string what = "the work")
    {
        var best = TimeSpan.MaxValue;
        for (int i = 0; i < Tries && best > limit; i++)
        {
            long start = Stopwatch.GetTimestamp();
            act();
            var taken = Stopwatch.GetElapsedTime(start);
            if (taken < best) best = taken;
        }
        Assert.True(best <= limit, $"{what}: the best of {Tries} tries took {best}, allowed {limit}.");
    }
}
