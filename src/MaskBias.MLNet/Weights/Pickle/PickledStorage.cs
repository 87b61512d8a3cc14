using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>A run of elements that tensors share.</summary>
/// <param name="Type">Type of the elements; bytes where the storage has no type of its own.</param>
/// <param name="Key">Its name in the file.</param>
/// <param name="Start">The element of the named data at which it begins; not 0 only in views of old files.</param>
/// <param name="Count">Number of its elements.</param>
/// <param name="WholeCount">Number of elements of the named data.</param>
internal sealed record PickledStorage(ScalarType Type, string Key, long Start, long Count, long WholeCount);
