using System.Buffers.Binary;
using System.Text;
using MaskBias.MLNet.Native;

namespace MaskBias.MLNet.Tests.Native;

/// <summary>Marking one needed symbol version weak: one flag of each such need changes, and nothing else.</summary>
public class ElfVersionNeedsTests
{
    private const string Version = "GLIBCXX_3.4.32";

    // Two libraries; the version that is looked for among its neighbours, once in each.
    private static readonly string[][] Needs = [["GLIBCXX_3.4.3", Version, "GLIBCXX_3.4.30"], ["GLIBC_2.34"], [Version, "XGLIBCXX_3.4.32"]];

    [Fact]
    public void Only_the_flags_of_that_version_change()
    {
        var (elf, flags) = Build();
        byte[] marked = [.. elf];
        ElfVersionNeeds.MarkWeak(marked, Version);
        Assert.Equal(2, flags[Version].Count);
        Assert.Equal(flags[Version], Differences(elf, marked));
        Assert.All(flags[Version], at => Assert.Equal(elf[at] | 2, marked[at]));

        byte[] again = [.. marked];
        ElfVersionNeeds.MarkWeak(again, Version);
        Assert.Equal(marked, again);

        byte[] unknown = [.. elf];
        ElfVersionNeeds.MarkWeak(unknown, "GLIBCXX_3.4.99");
        Assert.Equal(elf, unknown);
    }

    [Fact]
    public void Any_cut_or_wild_offset_is_refused_or_harmless()
    {
        var (elf, _) = Build();
        for (int length = 0; length < elf.Length; length++) Try(elf[..length]);
        var random = new Random(1);
        for (int i = 0; i < 5000; i++)
        {
            byte[] wild = [.. elf];
            for (int k = 0; k < 3; k++) wild[random.Next(16, wild.Length)] = (byte)random.Next(256);
            Try(wild);
        }

        static void Try(byte[] bytes)
        {
            try
            {
                ElfVersionNeeds.MarkWeak(bytes, Version);
            }
            catch (InvalidDataException)
            {
                // says what is wrong; any other exception fails the test
            }
        }
    }

    [Fact]
    public void TorchSharps_own_library_changes_in_one_byte()
    {
        string? library = Directory.EnumerateFiles(AppContext.BaseDirectory, "libLibTorchSharp.so",
            SearchOption.AllDirectories).FirstOrDefault();
        if (library is null) Assert.Skip("TorchSharp's library for Linux is not beside the tests");
        byte[] elf = File.ReadAllBytes(library), marked = [.. elf];
        ElfVersionNeeds.MarkWeak(marked, Version);
        int at = Assert.Single(Differences(elf, marked));
        Assert.Equal((0, 2), (elf[at] & 2, marked[at] ^ elf[at]));
        // the byte belongs to an entry with the ELF hash of that very name
        Assert.Equal(Hash(Version), BinaryPrimitives.ReadUInt32LittleEndian(elf.AsSpan(at - 4)));
    }

    private static List<int> Differences(byte[] before, byte[] after) =>
        [.. Enumerable.Range(0, before.Length).Where(i => before[i] != after[i])];

    // A shared object of nothing but its version needs: file header, strings, needs, three section headers.
    private static (byte[] Elf, Dictionary<string, List<int>> Flags) Build()
    {
        var strings = new MemoryStream();
        strings.WriteByte(0);
        var (needs, flags) = (new byte[16 * (Needs.Length + Needs.Sum(n => n.Length))], new Dictionary<string, List<int>>());
        const int start = 64;
        int at = 0;
        for (int library = 0; library < Needs.Length; library++)
        {
            string[] versions = Needs[library];
            bool isLast = library == Needs.Length - 1;
            Write16(needs, at, 1);
            Write16(needs, at + 2, versions.Length);
            Write32(needs, at + 4, Text($"lib{library}.so"));
            Write32(needs, at + 8, 16);
            Write32(needs, at + 12, isLast ? 0 : 16 * (1 + versions.Length));
            at += 16;
            for (int i = 0; i < versions.Length; i++, at += 16)
            {
                Write32(needs, at, (int)Hash(versions[i]));
                Write16(needs, at + 4, i == 2 ? 1 : 0);                // some other flag is set
                Write16(needs, at + 6, 2 + i);
                Write32(needs, at + 8, Text(versions[i]));
                Write32(needs, at + 12, i == versions.Length - 1 ? 0 : 16);
                if (!flags.TryGetValue(versions[i], out var places)) flags.Add(versions[i], places = []);
                places.Add(start + at + 4);
            }
        }

        int stringsAt = start + needs.Length, sectionsAt = stringsAt + (int)strings.Length;
        var elf = new byte[sectionsAt + 3 * 64];
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(elf);
        Write32(elf, 40, sectionsAt);
        Write16(elf, 58, 64);
        Write16(elf, 60, 3);
        needs.CopyTo(elf, start);
        strings.ToArray().CopyTo(elf, stringsAt);
        Section(1, type: 3, stringsAt, link: 0);
        Section(2, type: 0x6ffffffe, start, link: 1);
        return (elf, flags);

        int Text(string value)
        {
            int place = (int)strings.Length;
            strings.Write(Encoding.ASCII.GetBytes(value + "\0"));
            return place;
        }

        void Section(int index, int type, int offset, int link)
        {
            int header = sectionsAt + 64 * index;
            Write32(elf, header + 4, type);
            Write32(elf, header + 24, offset);
            Write32(elf, header + 40, link);
        }
    }

    private static void Write16(byte[] bytes, int at, int value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), (ushort)value);

    private static void Write32(byte[] bytes, int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), value);

    // The System V ABI's hash of symbol names.
    private static uint Hash(string name)
    {
        uint hash = 0;
        foreach (char c in name)
        {
            hash = (hash << 4) + c;
            uint high = hash & 0xf0000000;
            if (high != 0) hash ^= high >> 24;
            hash &= ~high;
        }
        return hash;
    }
}
