using System.Runtime.CompilerServices;
using MaskBias.MLNet.Native;

namespace MaskBias.MLNet.Tests;

internal static class LoadLibtorch
{
    // Tests use TorchSharp directly, so it must find libtorch loaded.
    [ModuleInitializer]
    internal static void Run() => TorchRuntime.EnsureLoaded();
}
