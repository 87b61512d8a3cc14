namespace MaskBias.MLNet.Masks.Sam.Generation;

/// <summary>Evenly spaced points of the unit square.</summary>
internal static class PointGrid
{
    /// <summary>Centres of n by n cells, row by row.</summary>
    public static (double X, double Y)[] Create(int n)
    {
        double offset = 1 / (2.0 * n), step = n == 1 ? 0 : (1 - offset - offset) / (n - 1);
        double[] side = [.. Enumerable.Range(0, n).Select(i => i > 0 && i == n - 1 ? 1 - offset : offset + i * step)];
        return [.. side.SelectMany(y => side.Select(x => (x, y)))];
    }
}
