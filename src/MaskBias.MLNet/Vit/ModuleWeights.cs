using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>What the modules of an encoder share in their making.</summary>
internal static class ModuleWeights
{
    /// <summary>
    /// Takes weights and buffers out of every dispose scope: they live as long as their module, whatever scope it is made in.
    /// </summary>
    public static void DetachWeights(this nn.Module module)
    {
        foreach (var weight in module.parameters().Concat(module.buffers())) weight.DetachFromDisposeScope();
    }
}
