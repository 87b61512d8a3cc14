namespace MaskBias.MLNet.Tests;

/// <summary>Two lists side by side.</summary>
internal static class Pairs
{
    /// <summary>
    /// The items of two lists, pair by pair. They must be as many, and there must be some: what is asserted of all pairs is else true of none.
    /// </summary>
    public static IReadOnlyList<(TFirst First, TSecond Second)> Of<TFirst, TSecond>(IEnumerable<TFirst> first, IEnumerable<TSecond> second)
    {
        List<TFirst> left = [.. first];
        List<TSecond> right = [.. second];
        Assert.NotEmpty(left);
        Assert.Equal(left.Count, right.Count);
        return [.. left.Zip(right)];
    }
}
