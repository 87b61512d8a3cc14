using System.Globalization;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>Memory of this process as Linux tells it, in bytes.</summary>
internal static class ProcessMemory
{
    /// <summary>What is in memory now.</summary>
    public static double Now => Read("VmRSS:");

    /// <summary>The most that was in memory at once since <see cref="ForgetPeak"/>.</summary>
    public static double Peak => Read("VmHWM:");

    /// <summary>Lets the peak start anew.</summary>
    public static void ForgetPeak() => File.WriteAllText("/proc/self/clear_refs", "5");

    private static double Read(string name)
    {
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(name, StringComparison.Ordinal));
        return double.Parse(line[name.Length..^2].Trim(), CultureInfo.InvariantCulture) * 1024;
    }
}
