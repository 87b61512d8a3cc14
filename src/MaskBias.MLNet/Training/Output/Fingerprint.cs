using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training.Output;

/// <summary>Short texts that are equal only where the contents are: the first half of a SHA-256.</summary>
internal static class Fingerprint
{
    private const int Bytes = 16;

    /// <summary>Of an encoder: its configuration and its weights, head and decoder included.</summary>
    public static string Of(VisionEncoder encoder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var scope = NewDisposeScope();
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes(EncoderConfig.Of(encoder).ToJson()));
        foreach (var module in new nn.Module?[] { encoder.Model, encoder.Head, encoder.Decoder }.OfType<nn.Module>())
        {
            foreach (var (_, weight) in module.state_dict().OrderBy(w => w.Key, StringComparer.Ordinal))
                TensorBytes.Visit(weight.detach().cpu().contiguous(), (part, _) => hash.AppendData(part));
        }
        return Text(hash.GetHashAndReset());
    }

    /// <summary>Of numbers, in their order.</summary>
    public static string Of(ReadOnlySpan<int> numbers) => Text(SHA256.HashData(MemoryMarshal.AsBytes(numbers)));

    /// <summary>Of a file.</summary>
    public static string OfFile(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 20);
        return Text(SHA256.HashData(stream));
    }

    /// <summary>Of a hash under way.</summary>
    public static string Of(IncrementalHash hash) => Text(hash.GetHashAndReset());

    private static string Text(byte[] hash) => Convert.ToHexStringLower(hash.AsSpan(0, Bytes));
}
