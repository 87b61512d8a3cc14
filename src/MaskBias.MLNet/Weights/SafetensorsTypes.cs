using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights;

/// <summary>Element types of the safetensors format, by the names that its header uses.</summary>
internal static class SafetensorsTypes
{
    private static readonly (string Name, ScalarType Type, int Size)[] Known =
    [
        ("F64", ScalarType.Float64, 8), ("F32", ScalarType.Float32, 4), ("F16", ScalarType.Float16, 2), ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8), ("I32", ScalarType.Int32, 4), ("I16", ScalarType.Int16, 2), ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    public static string Names { get; } = string.Join(", ", Known.Select(k => k.Name));

    public static ScalarType? Find(string name) =>
        Known.FirstOrDefault(k => k.Name == name) is { Name: not null } known ? known.Type : null;

    public static string? NameOf(ScalarType type) => Known.FirstOrDefault(k => k.Type == type).Name;

    public static int SizeOf(ScalarType type) => Known.First(k => k.Type == type).Size;
}
