using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>Layers in another precision than that of their weights.</summary>
internal static class ComputePrecision
{
    /// <summary>A linear layer in the precision of its input; gradients reach the weights in their own.</summary>
    public static Tensor In(this Linear layer, Tensor input)
    {
        if (input.dtype == layer.weight!.dtype) return layer.forward(input);
        return nn.functional.linear(input, layer.weight.to_type(input.dtype), layer.bias?.to_type(input.dtype));
    }

    /// <summary>The values in a type, themselves where they have it or none is asked for.</summary>
    public static Tensor As(this Tensor values, ScalarType? type) =>
        type is { } other && values.dtype != other ? values.to_type(other) : values;
}
