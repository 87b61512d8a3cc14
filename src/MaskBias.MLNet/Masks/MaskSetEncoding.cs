using System.Numerics;

namespace MaskBias.MLNet.Masks;

/// <summary>The byte format of a <see cref="MaskSet"/>, the value of a masks column (one vector of bytes per row).</summary>
/// <remarks>
/// <para>Version 1, in this order:</para>
/// <list type="number">
/// <item>the three bytes <c>4D 53 4B</c> ("MSK") and the version byte <c>01</c>;</item>
/// <item>height, width and the number of masks K, each a varint;</item>
/// <item>the K masks, one after the other. A mask is the lengths of its runs of pixels in row-major order, each a varint, background and
/// foreground in turn, background first; it ends where the lengths' sum reaches height · width. Only the first length may be 0.</item>
/// </list>
/// <para>
/// A varint is an unsigned number in groups of 7 bits, lowest first, with the high bit set on every byte but the last (LEB128), in its
/// shortest form. So a set has exactly one encoding, and equal bytes mean equal sets. Nothing may follow the last mask.
/// </para>
/// <para>
/// Bounds: each side 1 to 65,535, at most 2^28 pixels, at most 65,535 masks. The reader trusts no number: what it allocates is
/// at most twelve times the input's length.
/// </para>
/// </remarks>
internal static class MaskSetEncoding
{
    private const byte Version = 1;

    private static ReadOnlySpan<byte> Magic => "MSK"u8;

    /// <summary>Writes a set.</summary>
    public static byte[] Encode(MaskSet masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        long length = Magic.Length + 1L + VarintLength(masks.Height) + VarintLength(masks.Width) + VarintLength(masks.Count);
        foreach (int run in masks.AllRuns) length += VarintLength(run);

        byte[] bytes = new byte[length];
        Magic.CopyTo(bytes);
        int position = Magic.Length;
        bytes[position++] = Version;
        Write(bytes, ref position, masks.Height);
        Write(bytes, ref position, masks.Width);
        Write(bytes, ref position, masks.Count);
        foreach (int run in masks.AllRuns) Write(bytes, ref position, run);
        return bytes;
    }

    /// <summary>Reads a set.</summary>
    /// <param name="bytes">The encoded set. Zero bytes are not a set.</param>
    /// <exception cref="FormatException">The bytes are not a well-formed set.</exception>
    public static MaskSet Decode(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.StartsWith(Magic))
            throw new FormatException(bytes.IsEmpty
                ? "There are no bytes; a mask set is never empty." : "The bytes are not a mask set: they do not start with \"MSK\".");
        int position = Magic.Length;
        if (position == bytes.Length) throw new FormatException("The mask set ends before its version.");
        byte version = bytes[position++];
        if (version != Version) throw new FormatException($"The mask set's version is {version}; this library reads version {Version}.");

        var (height, width) = (Read(bytes, ref position, "height"), Read(bytes, ref position, "width"));
        if (MaskSet.SizeFault(height, width) is { } fault) throw new FormatException(fault);
        long count = Read(bytes, ref position, "number of masks");
        if (count > MaskSet.MaxCount)
            throw new FormatException($"The mask set announces {count} masks; at most {MaskSet.MaxCount} are allowed.");
        if (count > bytes.Length - position)
            throw new FormatException($"The mask set announces {count} masks; {bytes.Length - position} bytes cannot hold them.");
        return new((int)height, (int)width, ReadMasks(bytes, position, (int)height, (int)width, (int)count, out int[] starts), starts);
    }

    private static int[] ReadMasks(ReadOnlySpan<byte> bytes, int position, int height, int width, int count, out int[] starts)
    {
        int numbers = 0;
        foreach (byte b in bytes[position..]) numbers += b < 0x80 ? 1 : 0;      // every varint has one byte without the high bit

        int[] runs = new int[numbers];
        starts = new int[count + 1];
        int total = height * width, r = 0;
        for (int k = 0; k < count; k++)
        {
            long sum = 0;
            for (int first = r; sum < total; r++)
            {
                long run = Read(bytes, ref position, "mask ", k);
                if (run == 0 && r > first) throw new FormatException($"Run {r - first} of mask {k} is 0; only a mask's first run may be.");
                sum += run;
                if (sum > total) throw new FormatException(MaskSet.SumFault(k, sum, height, width));
                runs[r] = (int)run;
            }
            starts[k + 1] = r;
        }
        if (position < bytes.Length) throw new FormatException($"{bytes.Length - position} bytes follow the last of the {count} masks.");
        return runs;
    }

    // index: which of many such parts, for the message alone.
    private static long Read(ReadOnlySpan<byte> bytes, ref int position, string part, int index = -1)
    {
        uint value = 0;
        for (int shift = 0; shift < 35; shift += 7)
        {
            if (position == bytes.Length) throw new FormatException($"The mask set ends inside its {Name(part, index)}.");
            byte b = bytes[position++];
            if (shift == 28 && b > 0x0F) break;
            value |= (uint)(b & 0x7F) << shift;
            if (b >= 0x80) continue;
            if (b == 0 && shift > 0)
                throw new FormatException($"A number in the mask set's {Name(part, index)} is not in its shortest form.");
            return value;
        }
        throw new FormatException($"A number in the mask set's {Name(part, index)} has more than 32 bits.");
    }

    private static string Name(string part, int index) => index < 0 ? part : part + index;

    private static void Write(byte[] bytes, ref int position, int value)
    {
        uint rest = (uint)value;
        for (; rest >= 0x80; rest >>= 7) bytes[position++] = (byte)(rest | 0x80);
        bytes[position++] = (byte)rest;
    }

    private static int VarintLength(int value) => value == 0 ? 1 : (BitOperations.Log2((uint)value) + 7) / 7;
}
