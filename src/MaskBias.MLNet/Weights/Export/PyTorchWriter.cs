using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using MaskBias.MLNet.Weights.Pickle;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.Export;

/// <summary>
/// Writes tensors in PyTorch's zip format, which <c>torch.load</c> reads: a pickle of nested dictionaries, and beside it the bytes of each
/// tensor. Only what the restricted loader of PyTorch (<c>weights_only</c>) accepts is used.
/// </summary>
internal static class PyTorchWriter
{
    /// <summary>Writes tensors to a file; it appears, or replaces an older one, only when complete.</summary>
    /// <param name="path">The file.</param>
    /// <param name="section">Key of the dictionary that holds them, or null for no outer dictionary.</param>
    /// <param name="tensors">Names and tensors, on any device.</param>
    public static void Write(string path, string? section, IReadOnlyList<KeyValuePair<string, Tensor>> tensors) =>
        AtomicFile.Write(path, stream =>
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            Add(zip, "data.pkl", entry => entry.Write(Pickle(section, tensors)));
            Add(zip, "byteorder", entry => entry.Write("little"u8));
            for (int i = 0; i < tensors.Count; i++)
            {
                using var scope = NewDisposeScope();
                var stored = tensors[i].Value.detach().cpu().contiguous();
                Add(zip, $"data/{i}", entry => TensorBytes.Visit(stored, (part, _) => entry.Write(part)));
            }
            Add(zip, "version", entry => entry.Write("3\n"u8));
        });

    // Stored, not deflated: PyTorch reads nothing else.
    private static void Add(ZipArchive zip, string name, Action<Stream> write)
    {
        using var entry = zip.CreateEntry("archive/" + name, CompressionLevel.NoCompression).Open();
        write(entry);
    }

    private static byte[] Pickle(string? section, IReadOnlyList<KeyValuePair<string, Tensor>> tensors)
    {
        var pickle = new MemoryStream();
        pickle.Write([0x80, 2]);                                            // protocol 2
        if (section is not null)
        {
            pickle.Write("}("u8);
            Text(pickle, section);
        }
        pickle.Write("}("u8);                                               // {} and a mark
        for (int i = 0; i < tensors.Count; i++)
        {
            Text(pickle, tensors[i].Key);
            Describe(pickle, i, tensors[i].Value);
        }
        pickle.Write(section is null ? "u."u8 : "uu."u8);                   // set the items; stop
        return pickle.ToArray();
    }

    // torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)
    private static void Describe(Stream pickle, int index, Tensor tensor)
    {
        string storage = PyTorchTypes.StorageOf(tensor.dtype)
            ?? throw new ArgumentException($"Tensors of {tensor.dtype} cannot be written for PyTorch.");
        pickle.Write("ctorch._utils\n_rebuild_tensor_v2\n(("u8);
        Text(pickle, "storage");
        pickle.Write(Encoding.ASCII.GetBytes($"ctorch\n{storage}\n"));
        Text(pickle, $"{index}");
        Text(pickle, "cpu");
        Number(pickle, tensor.NumberOfElements);
        pickle.Write("tQ"u8);                                               // the storage's tuple is its persistent name
        Number(pickle, 0);
        Numbers(pickle, tensor.shape);
        Numbers(pickle, Strides(tensor.shape));
        pickle.WriteByte(0x89);                                             // False
        pickle.Write("ccollections\nOrderedDict\n)RtR"u8);
    }

    private static long[] Strides(long[] shape)
    {
        var strides = new long[shape.Length];
        long step = 1;
        for (int i = shape.Length - 1; i >= 0; i--) (strides[i], step) = (step, step * Math.Max(1, shape[i]));
        return strides;
    }

    private static void Text(Stream pickle, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text), length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        pickle.Write([(byte)'X', .. length, .. bytes]);
    }

    private static void Numbers(Stream pickle, long[] numbers)
    {
        pickle.WriteByte((byte)'(');
        foreach (long number in numbers) Number(pickle, number);
        pickle.WriteByte((byte)'t');
    }

    // A 4-byte integer, or an 8-byte one of arbitrary precision.
    private static void Number(Stream pickle, long number)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        if (number is >= 0 and <= int.MaxValue) pickle.Write([(byte)'J', .. bytes[..4]]);
        else pickle.Write([0x8a, 8, .. bytes]);
    }
}
