using System.Buffers.Binary;
using System.Text;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>Reads the little-endian operands of a pickle; lengths are checked against what is left and against the budget.</summary>
internal sealed class PickleInput(Stream stream, AllocationBudget budget)
{
    private const int MaxLine = 1024;

    public byte Byte()
    {
        int value = stream.ReadByte();
        return value >= 0 ? (byte)value : throw CutShort();
    }

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Fixed(stackalloc byte[2]));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Fixed(stackalloc byte[4]));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Fixed(stackalloc byte[4]));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Fixed(stackalloc byte[8]));

    public double DoubleBigEndian() => BinaryPrimitives.ReadDoubleBigEndian(Fixed(stackalloc byte[8]));

    public string Utf8(long length) => Encoding.UTF8.GetString(Bytes(length, 3));

    public string Latin1(long length) => Encoding.Latin1.GetString(Bytes(length, 3));

    public byte[] Bytes(long length) => Bytes(length, 1);

    /// <summary>Reads up to a line feed, which is not part of the text.</summary>
    public string Line()
    {
        var line = new StringBuilder();
        for (byte next = Byte(); next != '\n'; next = Byte())
        {
            if (line.Length == MaxLine) throw new InvalidDataException($"a name has more than {MaxLine} letters");
            line.Append((char)next);
        }
        budget.Charge(64 + 4 * line.Length);
        return line.ToString();
    }

    private byte[] Bytes(long length, int copies)
    {
        if (length < 0 || length > stream.Length - stream.Position) throw CutShort();
        budget.Charge(64 + copies * length);
        var bytes = new byte[length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private Span<byte> Fixed(Span<byte> bytes)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length) throw CutShort();
        return bytes;
    }

    private static InvalidDataException CutShort() => new("its pickle is cut short");
}
