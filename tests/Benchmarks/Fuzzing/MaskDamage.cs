using System.Text;

namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>Makes damaged files of good ones: letters, numbers and parts changed, repeated, cut and moved.</summary>
internal sealed class MaskDamage(byte[][] good, int seed)
{
    private static readonly byte[][] Pieces = [.. new[]
    {
        "-1", "0", "1", "2147483647", "2147483648", "9223372036854775807", "1e9", "1e400", "2.5", "65535", "65536", "null", "true", "{}", "[]", "\"\"",
        "[[1,2,3,4,5,6]]", "[[0,0,65535,0,65535,65535]]", "[[", "]]", "{\"size\":[1,1],\"counts\":\"1\"}", "\"counts\":[1,2]", "\"segmentation\":", ",", "}",
        "oooooooo", "P", "O", "0", "\\ud800", "\\u0000", "\u00e9",
    }.Select(Encoding.UTF8.GetBytes)];

    private readonly Random random = new(seed);

    public byte[] Next()
    {
        var bytes = good[random.Next(good.Length)].ToList();
        for (int i = random.Next(1, 5); i > 0 && bytes.Count > 0; i--) Change(bytes);
        return [.. bytes];
    }

    private void Change(List<byte> bytes)
    {
        int at = random.Next(bytes.Count), length = Math.Min(random.Next(1, 24), bytes.Count - at);
        switch (random.Next(7))
        {
            case 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 1:
                bytes[at] = (byte)random.Next(48, 112);
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3:
                bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                break;
            case 4:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 5:
                ReplaceNumber(bytes, at);
                break;
            default:
                bytes.InsertRange(at, Pieces[random.Next(Pieces.Length)]);
                break;
        }
    }

    // The next run of digits becomes another piece: mostly still well-formed, hence read further.
    private void ReplaceNumber(List<byte> bytes, int at)
    {
        int start = bytes.FindIndex(at, b => b is >= (byte)'0' and <= (byte)'9');
        if (start < 0) return;
        int end = bytes.FindIndex(start, b => b is < (byte)'0' or > (byte)'9');
        bytes.RemoveRange(start, (end < 0 ? bytes.Count : end) - start);
        bytes.InsertRange(start, random.Next(2) == 0 ? Pieces[random.Next(Pieces.Length)] : Encoding.ASCII.GetBytes(random.Next(70).ToString(System.Globalization.CultureInfo.InvariantCulture)));
    }
}
