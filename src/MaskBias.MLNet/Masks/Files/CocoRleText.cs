namespace MaskBias.MLNet.Masks.Files;

/// <summary>The characters of COCO's compressed run lengths; see <see cref="CocoRle"/>.</summary>
internal static class CocoRleText
{
    /// <summary>The character of a group of zeros, and the bit that says that another group follows.</summary>
    public const int Zero = 48, More = 0x20;

    private const int Bits = 5, Sign = 0x10, MaxGroups = 7;

    /// <summary>Reads the counts, as many as there are in <paramref name="counts"/>.</summary>
    /// <exception cref="FormatException">The text is malformed, or the counts do not sum to <paramref name="pixels"/>.</exception>
    public static int[] Decode(ReadOnlySpan<char> text, int[] counts, int pixels)
    {
        long sum = 0;
        int position = 0;
        for (int r = 0; r < counts.Length; r++)
        {
            long value = 0;
            int shift = 0, group;
            do
            {
                group = text[position] - Zero;
                if ((uint)group >= 2 * More)
                    throw new FormatException($"Character {position} of the run lengths is U+{(int)text[position]:X4}; it must lie in '0' to 'o'.");
                position++;
                value |= (long)(group & (More - 1)) << shift;
                shift += Bits;
                if (shift > MaxGroups * Bits) throw new FormatException($"Count {r} has more than {MaxGroups} characters: it overflows.");
            }
            while ((group & More) != 0);
            if ((group & Sign) != 0) value |= -1L << shift;
            if (r > 2) value += counts[r - 2];
            if (value < 0) throw new FormatException($"Count {r} is {value}; a count is at least 0.");
            sum += value;
            if (sum > pixels) throw new FormatException($"The run lengths reach {sum} pixels at count {r}; the image has {pixels}.");
            counts[r] = (int)value;
        }
        if (position < text.Length) throw new FormatException("The run lengths end within a count.");
        return sum == pixels ? counts : throw new FormatException(SumFault(sum, pixels));
    }

    /// <summary>Writes counts.</summary>
    public static string Encode(ReadOnlySpan<int> counts)
    {
        int length = 0;
        for (int r = 0; r < counts.Length; r++)
        {
            int value = Value(counts, r);
            do length++;
            while (!Ends(ref value));
        }
        return string.Create(length, counts, static (text, counts) =>
        {
            int position = 0;
            for (int r = 0; r < counts.Length; r++)
            {
                bool ends;
                int value = Value(counts, r);
                do
                {
                    int group = value & (More - 1);
                    ends = Ends(ref value);
                    text[position++] = (char)(Zero + (ends ? group : group | More));
                }
                while (!ends);
            }
        });
    }

    public static string SumFault(long sum, int pixels) => $"The run lengths sum to {sum} pixels; the image has {pixels}.";

    private static int Value(ReadOnlySpan<int> counts, int r) => r > 2 ? counts[r] - counts[r - 2] : counts[r];

    // Whether the lowest group is the last: what remains is only the sign that its highest bit says.
    private static bool Ends(ref int value)
    {
        bool isNegative = (value & Sign) != 0;
        value >>= Bits;
        return value == (isNegative ? -1 : 0);
    }
}
