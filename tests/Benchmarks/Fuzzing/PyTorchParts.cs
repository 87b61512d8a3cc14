using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>What a file of torch.save's consists of, to put together as it should not be.</summary>
/// <param name="Pickle">The pickle.</param>
/// <param name="Storages">The storages, each of float32 elements.</param>
internal sealed record PyTorchParts(byte[] Pickle, IReadOnlyList<byte[]> Storages)
{
    private static readonly byte[] LegacyHeader =
    [
        0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.', 0x80, 2, (byte)'M', 0xe9, 3, (byte)'.',
        0x80, 2, (byte)'}', .. Text("little_endian"), 0x88, (byte)'s', (byte)'.',
    ];

    /// <summary>Takes a file in the zip format apart.</summary>
    public static PyTorchParts Of(string path)
    {
        using var zip = ZipFile.OpenRead(path);
        var storages = zip.Entries.Where(e => e.FullName.Contains("/data/")).ToDictionary(e => int.Parse(e.Name), Bytes);
        return new(Bytes(zip.Entries.Single(e => e.Name == "data.pkl")), [.. storages.OrderBy(s => s.Key).Select(s => s.Value)]);

        static byte[] Bytes(ZipArchiveEntry entry)
        {
            using var stream = entry.Open();
            var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return bytes.ToArray();
        }
    }

    /// <summary>A pickle's text.</summary>
    public static byte[] Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text), length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        return [(byte)'X', .. length, .. bytes];
    }

    /// <summary>The zip format, with some entries compressed.</summary>
    public byte[] Zip(Func<string, bool> compress)
    {
        var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("data.pkl", Pickle);
            for (int i = 0; i < Storages.Count; i++) Add($"data/{i}", Storages[i]);

            void Add(string name, byte[] data)
            {
                using var entry = zip.CreateEntry("archive/" + name, compress(name) ? CompressionLevel.Fastest : CompressionLevel.NoCompression).Open();
                entry.Write(data);
            }
        }
        return bytes.ToArray();
    }

    /// <summary>The format before 1.6.</summary>
    public byte[] Legacy()
    {
        var bytes = new MemoryStream();
        bytes.Write(LegacyHeader);
        bytes.Write(Pickle);
        bytes.Write([0x80, 2, (byte)']', (byte)'(']);
        for (int i = 0; i < Storages.Count; i++) bytes.Write(Text($"{i}"));
        bytes.Write("e."u8);
        Span<byte> count = stackalloc byte[8];
        foreach (byte[] storage in Storages)
        {
            BinaryPrimitives.WriteInt64LittleEndian(count, storage.Length / sizeof(float));
            bytes.Write(count);
            bytes.Write(storage);
        }
        return bytes.ToArray();
    }
}
