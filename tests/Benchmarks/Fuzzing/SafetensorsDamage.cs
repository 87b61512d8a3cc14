using System.Buffers.Binary;
using System.Text;

namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>Makes damaged files of a good one: bytes, numbers and strings of its header changed, parts repeated, cut and moved.</summary>
internal sealed class SafetensorsDamage(byte[] good, int seed)
{
    private static readonly string[] Replacements =
    [
        "-1", "9223372036854775807", "18446744073709551616", "4611686018427387904", "1e9", "2.5", "0", "null", "{}", "[]", "\"\"",
        "[[[[1]]]]", "\"F64\"", "\"BOOL\"", "\"X\"", "{\"a\":", ",", "}", "\\u0000", "\"cls_token\"", "\"data_offsets\"",
    ];

    private readonly Random random = new(seed);
    private readonly int header = (int)BinaryPrimitives.ReadInt64LittleEndian(good);

    public byte[] Next()
    {
        string json = Encoding.UTF8.GetString(good, 8, header);
        int changes = random.Next(1, 4);
        for (int i = 0; i < changes; i++) json = Change(json);
        byte[] text = Encoding.UTF8.GetBytes(json), data = good[(8 + header)..], length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, random.Next(20) == 0 ? random.NextInt64() : text.Length);
        byte[] bytes = [.. length, .. text, .. data];
        for (int i = random.Next(3); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }

    private string Change(string json)
    {
        int at = random.Next(json.Length), end = Math.Min(json.Length, at + random.Next(1, 40));
        string piece = Replacements[random.Next(Replacements.Length)];
        switch (random.Next(6))
        {
            case 0: return json[..at] + piece + json[end..];
            case 1: return json[..at] + piece + json[at..];
            case 2: return json[..at] + json[end..];
            case 3: return json[..end] + json[at..];
            default:
                // a whole number, which keeps the rest well-formed
                int digit = json.IndexOfAny("0123456789".ToCharArray(), at);
                if (digit < 0) return json;
                int stop = digit;
                while (stop < json.Length && char.IsAsciiDigit(json[stop])) stop++;
                return json[..digit] + (random.Next(2) == 0 ? piece : $"{random.NextInt64() >> random.Next(64)}") + json[stop..];
        }
    }
}
