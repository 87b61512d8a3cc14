using MaskBias.MLNet.Weights.Onnx.Proto;

namespace MaskBias.MLNet.Weights.Onnx;

/// <summary>One dimension of an ONNX value: a size, or the name of a size that the caller chooses.</summary>
internal readonly record struct OnnxDimension(long Size, string? Name)
{
    public static implicit operator OnnxDimension(long size) => new(size, null);

    public static implicit operator OnnxDimension(string name) => new(0, name);

    public TensorShapeProto.Types.Dimension ToProto() => Name is null ? new() { DimValue = Size } : new() { DimParam = Name };

    public override string ToString() => Name ?? $"{Size}";
}
