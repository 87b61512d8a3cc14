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

    // Weights stored in another precision are converted; whole numbers are never weights.
    internal bool IsFloating => IsFloatingType(DType);

    /// <summary>How many weights tensors hold; whole numbers, however many, are none.</summary>
    internal static long CountWeights(IEnumerable<SafetensorsEntry> entries) =>
        entries.Where(e => e.IsFloating).Sum(e => e.Shape.Aggregate(1L, (product, size) => product * size));

    internal static bool IsFloatingType(ScalarType type) =>
        type is ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16;
}
