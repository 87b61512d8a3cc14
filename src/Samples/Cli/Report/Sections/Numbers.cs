using System.Globalization;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>Numbers as people read them.</summary>
internal static class Numbers
{
    /// <summary>About four figures.</summary>
    public static string Text(double value) => Math.Abs(value) is >= 1e5 or (> 0 and < 1e-3)
        ? value.ToString("0.###e0", CultureInfo.InvariantCulture) : value.ToString("0.####", CultureInfo.InvariantCulture);

    public static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Percent(double share) => share.ToString("0.0%", CultureInfo.InvariantCulture);

    /// <summary>At most so many of a list, evenly spread, the first and the last among them.</summary>
    public static IEnumerable<T> Some<T>(IReadOnlyList<T> all, int most) => all.Count <= most
        ? all : Enumerable.Range(0, most).Select(i => all[(int)((long)i * (all.Count - 1) / (most - 1))]);
}
