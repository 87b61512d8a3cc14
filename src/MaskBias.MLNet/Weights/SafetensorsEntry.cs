using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights;

/// <summary>A tensor in a safetensors file.</summary>
/// <param name="Name">Its name, unique in the file.</param>
/// <param name="DType">Its element type.</param>
/// <param name="Shape">Its dimensions; empty for a scalar.</param>
public sealed record SafetensorsEntry(string Name, ScalarType DType, IReadOnlyList<long> Shape)
{
    // Where its bytes are, counted from the end of the header.
    internal long Offset { get; init; }

    internal long Length { get; init; }
}
