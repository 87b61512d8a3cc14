using System.Buffers.Binary;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>numpy's type of a number, such as the <c>f8</c> of a learning rate.</summary>
internal sealed record NumpyType(string Code)
{
    /// <summary>Whether its numbers begin with the highest byte.</summary>
    public bool IsBigEndian { get; set; }

    /// <summary>The number that bytes hold.</summary>
    public object Decode(byte[] bytes)
    {
        byte[] low = IsBigEndian ? [.. bytes.Reverse()] : bytes;
        return (Code.TrimStart('<', '=', '|'), bytes.Length) switch
        {
            ("f8", 8) => BinaryPrimitives.ReadDoubleLittleEndian(low),
            ("f4", 4) => (double)BinaryPrimitives.ReadSingleLittleEndian(low),
            ("f2", 2) => (double)BinaryPrimitives.ReadHalfLittleEndian(low),
            ("i8", 8) => BinaryPrimitives.ReadInt64LittleEndian(low),
            ("i4", 4) => (long)BinaryPrimitives.ReadInt32LittleEndian(low),
            ("i2", 2) => (long)BinaryPrimitives.ReadInt16LittleEndian(low),
            ("u4", 4) => (long)BinaryPrimitives.ReadUInt32LittleEndian(low),
            ("u2", 2) => (long)BinaryPrimitives.ReadUInt16LittleEndian(low),
            ("i1", 1) => (long)(sbyte)low[0],
            ("u1", 1) => (long)low[0],
            ("b1", 1) => low[0] != 0,
            _ => throw new InvalidDataException($"a numpy number of type {Code} and {bytes.Length} bytes is not known"),
        };
    }
}
