namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>Makes what passes for an image file: some as they are, some cut short, some damaged, some none at all.</summary>
/// <param name="seeds">Image files.</param>
/// <param name="most">Bytes of a file that is none, at most.</param>
internal sealed class ImageDamage(byte[][] seeds, int most)
{
    /// <summary>The files of a folder, but for those of more than a megabyte.</summary>
    public static byte[][] Seeds(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Where(path => new FileInfo(path).Length < 1 << 20).Select(File.ReadAllBytes)];

    /// <summary>A file; the same number gives the same file.</summary>
    public byte[] Make(int number)
    {
        var random = new Random(number);
        byte[] bytes = (byte[])seeds[random.Next(seeds.Length)].Clone();
        switch (random.Next(5))
        {
            case 0: break;                                                                              // as it is
            case 1: bytes = bytes[..random.Next(bytes.Length + 1)]; break;                              // cut short
            case 2:
                bytes = new byte[random.Next(most)];
                random.NextBytes(bytes);
                break;
            default:
                for (int n = random.Next(1, 64); n > 0 && bytes.Length > 0; n--)                        // the header is hit as often as the rest
                    bytes[random.Next(random.Next(2) == 0 ? Math.Min(64, bytes.Length) : bytes.Length)] = (byte)random.Next(256);
                break;
        }
        return bytes;
    }
}
