using System.Buffers.Binary;
using System.Text;

namespace MaskBias.MLNet.Distributed;

/// <summary>A short message beside the collectives: a rank fails, was cancelled, or has come to its end.</summary>
internal sealed record Alarm(AlarmKind Kind, int Rank, string Text)
{
    /// <summary>Every message has this length: short enough to be sent at once, without the receiver.</summary>
    public const int Length = 1024;

    private const int Header = 9;

    public byte[] Encode()
    {
        byte[] bytes = new byte[Length];
        bytes[0] = (byte)Kind;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(1), Rank);
        Encoding.UTF8.GetEncoder().Convert(Text, bytes.AsSpan(Header), flush: true, out _, out int written, out _);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(5), written);
        return bytes;
    }

    public static Alarm Decode(ReadOnlySpan<byte> bytes)
    {
        int length = Math.Clamp(BinaryPrimitives.ReadInt32LittleEndian(bytes[5..]), 0, Length - Header);
        return new((AlarmKind)bytes[0], BinaryPrimitives.ReadInt32LittleEndian(bytes[1..]), Encoding.UTF8.GetString(bytes.Slice(Header, length)));
    }
}
