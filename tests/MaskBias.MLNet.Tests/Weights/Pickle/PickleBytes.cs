using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace MaskBias.MLNet.Tests.Weights.Pickle;

/// <summary>Pieces of pickles, and archives of them, as Python writes them.</summary>
internal static class PickleBytes
{
    public static byte[] Join(params IEnumerable<object> parts) => [.. parts.SelectMany(p => p is string text ? Encoding.Latin1.GetBytes(text) : (byte[])p)];

    public static byte[] Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text), length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        return [(byte)'X', .. length, .. bytes];
    }

    public static byte[] Number(long number)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        return [0x8a, 8, .. bytes];
    }

    public static byte[] Tuple(params long[] numbers) => Join("(", Join(numbers.Select(Number)), "t");

    /// <summary>{ name: value, … }</summary>
    public static byte[] Dictionary(params (string Name, byte[] Value)[] items) =>
        Join("}(", Join(items.Select(i => Join(Text(i.Name), i.Value))), "u");

    public static byte[] Storage(string type, string key, long count) =>
        Join("(", Text("storage"), $"ctorch\n{type}\n", Text(key), Text("cpu"), Number(count), "tQ");

    public static byte[] Tensor(byte[] storage, long offset, long[] shape, long[] strides) =>
        Join("ctorch._utils\n_rebuild_tensor_v2\n(", storage, Number(offset), Tuple(shape), Tuple(strides), "\u0089ccollections\nOrderedDict\n)RtR");

    /// <summary>An archive of torch.save's.</summary>
    public static void WriteZip(string path, byte[] value, IEnumerable<(string Key, byte[] Bytes)> storages, string? byteOrder = null,
        CompressionLevel compression = CompressionLevel.NoCompression)
    {
        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        Add("data.pkl", Join("\x80\x02", value, "."));
        if (byteOrder is not null) Add("byteorder", Encoding.ASCII.GetBytes(byteOrder));
        foreach (var (key, bytes) in storages) Add("data/" + key, bytes);

        void Add(string name, byte[] bytes)
        {
            using var entry = zip.CreateEntry("archive/" + name, compression).Open();
            entry.Write(bytes);
        }
    }
}
