using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// Makes the layers that hold nearly all of an encoder's weights. TorchSharp draws start values for each, which takes longer than reading
/// a checkpoint: where all weights are about to be loaded, memory is only reserved.
/// </summary>
internal static class WeightLayers
{
    [ThreadStatic]
    private static WeightMemory? memory;

    /// <summary>Whether modules made now on this thread may leave their weights undefined.</summary>
    public static bool SkipsStartValues => memory is not null;

    /// <summary>Runs what makes modules whose weights are all overwritten before anyone reads them.</summary>
    public static T WithoutStartValues<T>(Func<T> make)
    {
        var before = memory;
        using var own = memory = new WeightMemory();
        try
        {
            return make();
        }
        finally
        {
            memory = before;
        }
    }

    /// <summary>A linear layer with bias.</summary>
    public static Linear Linear(long inputs, long outputs)
    {
        if (memory is null) return nn.Linear(inputs, outputs);
        var linear = nn.Linear(inputs, outputs, device: META);
        (linear.weight, linear.bias) = (nn.Parameter(memory.Take(outputs, inputs)), nn.Parameter(memory.Take(outputs)));
        return linear;
    }

    /// <summary>A projection of square patches that do not overlap.</summary>
    public static Conv2d Patches(long channels, long outputs, long patchSize)
    {
        var (size, stride) = ((patchSize, patchSize), (patchSize, patchSize));
        if (memory is null) return nn.Conv2d(channels, outputs, size, stride: stride);
        var conv = nn.Conv2d(channels, outputs, size, stride: stride, device: META);
        (conv.weight, conv.bias) = (nn.Parameter(memory.Take(outputs, channels, patchSize, patchSize)), nn.Parameter(memory.Take(outputs)));
        return conv;
    }
}
