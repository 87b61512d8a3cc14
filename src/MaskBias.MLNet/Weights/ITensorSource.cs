using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights;

/// <summary>The named tensors of a file, which are read one by one, when asked for.</summary>
internal interface ITensorSource : IDisposable
{
    /// <summary>The file, for errors.</summary>
    string Path { get; }

    /// <summary>What there is.</summary>
    IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Free-form text that comes with the tensors.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads a tensor to the CPU; the caller owns it.</summary>
    Tensor Read(string name);
}
