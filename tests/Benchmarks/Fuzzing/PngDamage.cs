namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>Makes PNGs whose checksums hold but whose headers and rows are at odds.</summary>
internal sealed class PngDamage(int seed)
{
    private static readonly int[] Sides = [-1, 0, 1, 2, 7, 8, 9, 23, 1000, 65535, 65536, int.MaxValue];
    private static readonly int[] Depths = [0, 1, 2, 4, 8, 16, 32];

    private readonly Random random = new(seed);

    public byte[] Next()
    {
        byte[] rows = new byte[random.Next(2000)];
        if (random.Next(2) == 0) random.NextBytes(rows);
        for (int i = 0; i < rows.Length; i += 24) rows[i] = (byte)random.Next(5);
        byte[] header = PngBytes.Header(Pick(Sides), Pick(Sides), random.Next(8), Pick(Depths), random.Next(3));
        byte[] data = random.Next(8) == 0 ? rows : PngBytes.Deflate(rows);
        return PngBytes.File(header, data, random.Next(2) == 0);
    }

    private int Pick(int[] values) => values[random.Next(values.Length)];
}
