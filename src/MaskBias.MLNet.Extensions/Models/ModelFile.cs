using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;

namespace MaskBias.MLNet.Extensions.Models;

/// <summary>Finds the encoder in a model file: the graph in an ML.NET model, or the file itself.</summary>
internal static class ModelFile
{
    private const int MaxBytes = int.MaxValue - 64;               // what an ONNX file can have, and an array
    private const int FirstPart = 1 << 20;
    private const string GraphEntry = "/OnnxModel";               // where ML.NET's ApplyOnnxModel keeps its graph; on Windows, with '\\'

    /// <summary>Throws where the file is missing or of another kind, without loading it.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no model that can be served.</exception>
    public static void Check(string path)
    {
        using var file = Open(path);
        if (!IsZip(file)) CheckOnnx(file, path);
        else _ = FindGraph(file, path);
    }

    /// <summary>Reads the encoder's graph; its id is the hash of its bytes.</summary>
    public static (byte[] Graph, string Id, bool IsPipeline) Read(byte[] model, string path)
    {
        using var file = new MemoryStream(model, writable: false);
        bool isPipeline = IsZip(file);
        byte[] graph = isPipeline ? Unpack(FindGraph(file, path), path) : model;
        return (graph, "sha256-" + Convert.ToHexStringLower(SHA256.HashData(graph))[..16], isPipeline);
    }

    /// <summary>Reads the file as a whole.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is a folder, or too long.</exception>
    public static byte[] ReadAll(string path)
    {
        using var file = Open(path);
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private static FileStream Open(string path)
    {
        if (Directory.Exists(path))
            throw new InvalidDataException($"ModelPath '{path}' is a folder; it must be a file: an ML.NET model (.zip) or an ONNX encoder (.onnx).");
        if (!File.Exists(path)) throw new FileNotFoundException($"ModelPath '{path}' does not exist.", path);
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        long length = file.Length;
        if (length <= MaxBytes) return file;
        file.Dispose();
        throw new InvalidDataException($"ModelPath '{path}' has {length} bytes; a model file may have at most {MaxBytes}.");
    }

    private static bool IsZip(Stream file)
    {
        Span<byte> start = stackalloc byte[4];
        int read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return read == 4 && start.SequenceEqual("PK\x03\x04"u8);
    }

    // An ONNX file is a protobuf message whose first field, the version of the format, is a small number.
    private static void CheckOnnx(Stream file, string path)
    {
        if (file.Length < 64 || file.ReadByte() != 0x08 || file.ReadByte() is < 3 or > 64)
            throw new InvalidDataException($"'{path}' is neither an ML.NET model (.zip) nor an ONNX encoder (.onnx).");
    }

    // The first step's: the names number the steps, and what follows the embedding may have graphs of its own, as nearest neighbours do.
    private static ZipArchiveEntry FindGraph(Stream file, string path)
    {
        var zip = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
        var graph = zip.Entries.Where(e => Name(e).EndsWith(GraphEntry, StringComparison.Ordinal)).MinBy(Name, StringComparer.Ordinal);
        if (graph is null)
        {
            throw new InvalidDataException($"'{path}' holds no ONNX graph; a model to serve has an embedding step, "
                + "as SelfSupervised().EmbedImages saves it.");
        }
        if (graph.Length > MaxBytes)
            throw new InvalidDataException($"The graph in '{path}' has {graph.Length} bytes; at most {MaxBytes} can be read.");
        return graph;

        static string Name(ZipArchiveEntry entry) => entry.FullName.Replace('\\', '/');
    }

    // ML.NET writes the graph's length before it, 4 bytes, little-endian.
    private static byte[] Unpack(ZipArchiveEntry entry, string path)
    {
        using var stream = entry.Open();
        Span<byte> prefix = stackalloc byte[4];
        bool hasPrefix = stream.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false) == prefix.Length;
        int length = hasPrefix ? BinaryPrimitives.ReadInt32LittleEndian(prefix) : -1;
        if (length < 0 || length != entry.Length - prefix.Length)
            throw Damaged(path, $"takes {entry.Length} bytes and says that it has {length}");
        return Inflate(stream, length, path);
    }

    // The length is what the file says of itself: memory is taken as bytes come.
    private static byte[] Inflate(Stream stream, int length, string path)
    {
        byte[] bytes = new byte[Math.Min(length, FirstPart)];
        for (int done = 0; ;)
        {
            done += stream.ReadAtLeast(bytes.AsSpan(done), bytes.Length - done, throwOnEndOfStream: false);
            if (done < bytes.Length) throw Damaged(path, $"ends after {done} of {length} bytes");
            if (done == length) return bytes;
            Array.Resize(ref bytes, (int)Math.Min(length, 2L * bytes.Length));
        }
    }

    private static InvalidDataException Damaged(string path, string how) => new($"The graph in '{path}' {how}; the model is damaged.");
}
