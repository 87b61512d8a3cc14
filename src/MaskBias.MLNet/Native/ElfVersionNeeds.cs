using System.Buffers.Binary;
using System.Text;

namespace MaskBias.MLNet.Native;

/// <summary>Edits the symbol versions that an ELF64 little-endian shared object needs (the section .gnu.version_r).</summary>
internal static class ElfVersionNeeds
{
    private const uint VersionNeedSection = 0x6ffffffe;
    private const byte WeakFlag = 2;

    /// <summary>Marks one needed version weak, so that the loader accepts a library which does not define it.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a well-formed ELF64 little-endian file.</exception>
    public static void MarkWeak(Span<byte> elf, string version)
    {
        if (elf.Length < 64 || !elf[..6].SequenceEqual("\u007fELF\u0002\u0001"u8))
            throw new InvalidDataException("Not a 64-bit little-endian ELF file.");
        try
        {
            Walk(elf, version);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException or IndexOutOfRangeException)
        {
            throw new InvalidDataException("The ELF file's section tables point outside of it.", e);
        }
    }

    private static void Walk(Span<byte> elf, string version)
    {
        int sections = Offset(elf, 40);
        int entrySize = UInt16(elf, 58);
        int count = UInt16(elf, 60);
        for (int i = 0; i < count; i++)
        {
            int header = checked(sections + i * entrySize);
            if (UInt32(elf, header + 4) != VersionNeedSection) continue;
            int strings = Offset(elf, checked(sections + (int)UInt32(elf, header + 40) * entrySize + 24));
            int need = Offset(elf, header + 24);
            for (uint next = 1; next != 0; need = checked(need + (int)next))
            {
                int auxiliary = checked(need + (int)UInt32(elf, need + 8));
                for (int left = UInt16(elf, need + 2); left > 0; left--)
                {
                    if (Text(elf, checked(strings + (int)UInt32(elf, auxiliary + 8))) == version) elf[auxiliary + 4] |= WeakFlag;
                    auxiliary = checked(auxiliary + (int)UInt32(elf, auxiliary + 12));
                }
                next = UInt32(elf, need + 12);
            }
        }
    }

    private static ushort UInt16(ReadOnlySpan<byte> elf, int at) => BinaryPrimitives.ReadUInt16LittleEndian(elf[at..]);

    private static uint UInt32(ReadOnlySpan<byte> elf, int at) => BinaryPrimitives.ReadUInt32LittleEndian(elf[at..]);

    private static int Offset(ReadOnlySpan<byte> elf, int at) => checked((int)BinaryPrimitives.ReadUInt64LittleEndian(elf[at..]));

    private static string Text(ReadOnlySpan<byte> elf, int at)
    {
        var rest = elf[at..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)0)]);
    }
}
