using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>Element types by the names of PyTorch's storages and of its types.</summary>
internal static class PyTorchTypes
{
    private static readonly (string Storage, string DType, ScalarType Type, int Size)[] Known =
    [
        ("DoubleStorage", "float64", ScalarType.Float64, 8), ("FloatStorage", "float32", ScalarType.Float32, 4),
        ("HalfStorage", "float16", ScalarType.Float16, 2), ("BFloat16Storage", "bfloat16", ScalarType.BFloat16, 2),
        ("LongStorage", "int64", ScalarType.Int64, 8), ("IntStorage", "int32", ScalarType.Int32, 4),
        ("ShortStorage", "int16", ScalarType.Int16, 2), ("CharStorage", "int8", ScalarType.Int8, 1),
        ("ByteStorage", "uint8", ScalarType.Byte, 1), ("BoolStorage", "bool", ScalarType.Bool, 1),
        ("ComplexDoubleStorage", "complex128", ScalarType.ComplexFloat64, 16),
        ("ComplexFloatStorage", "complex64", ScalarType.ComplexFloat32, 8),
    ];

    /// <summary>The type of a storage's elements, or null where the name is unknown.</summary>
    public static ScalarType? OfStorage(string name) =>
        Known.FirstOrDefault(k => k.Storage == name) is { Storage: not null } known ? known.Type : null;

    /// <summary>The type of that name, or null where it is unknown.</summary>
    public static ScalarType? OfName(string name) =>
        Known.FirstOrDefault(k => k.DType == name) is { DType: not null } known ? known.Type : null;

    /// <summary>The storage of a type, or null where PyTorch has none.</summary>
    public static string? StorageOf(ScalarType type) => Known.FirstOrDefault(k => k.Type == type).Storage;

    public static int SizeOf(ScalarType type) => Known.First(k => k.Type == type).Size;
}
