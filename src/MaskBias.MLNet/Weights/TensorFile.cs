using System.Buffers.Binary;
using MaskBias.MLNet.Weights.Pickle;

namespace MaskBias.MLNet.Weights;

/// <summary>Opens a file of weights by what it holds, whatever its name: safetensors, or PyTorch's own format.</summary>
internal static class TensorFile
{
    private const int HeadLength = 16;

    /// <summary>Opens a file and checks its description of the tensors.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is in no known format, or damaged; the message says how.</exception>
    public static ITensorSource Open(string path)
    {
        byte[] head = Head(path);
        if (PyTorchFile.Recognizes(head)) return PyTorchFile.Open(path);
        if (head.AsSpan().StartsWith("version https://"u8))
            throw new InvalidDataException($"{path} is a pointer of Git LFS and holds no weights itself: fetch them with git lfs pull.");
        if (!IsSafetensors(head) && OtherFormat(head) is { } other)
            throw new InvalidDataException($"{path} is {other}; weights are read from safetensors and from what torch.save writes.");
        return SafetensorsFile.Open(path);
    }

    private static byte[] Head(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        byte[] head = new byte[HeadLength];
        return head[..RandomAccess.Read(file, head, 0)];
    }

    private static bool IsSafetensors(ReadOnlySpan<byte> head) =>
        head.Length > 8 && head[8] == '{' && BinaryPrimitives.ReadUInt64LittleEndian(head) <= SafetensorsHeader.MaxLength;

    private static string? OtherFormat(ReadOnlySpan<byte> head)
    {
        if (head is [0x80, >= 2 and <= 5, ..]) return "a pickle that torch.save did not write";
        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'H', (byte)'D', (byte)'F'])) return "an HDF5 file";
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b])) return "compressed with gzip";
        return head.StartsWith("GGUF"u8) ? "a GGUF file" : null;
    }
}
