using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights;

/// <summary>The named tensors of a file, which are read when asked for, also from several threads at once.</summary>
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

    /// <summary>Reads a tensor into one of the same shape on any device, and converts it where types differ.</summary>
    void ReadInto(string name, Tensor target)
    {
        using var scope = NewDisposeScope();
        target.copy_(Read(name));
    }
}
