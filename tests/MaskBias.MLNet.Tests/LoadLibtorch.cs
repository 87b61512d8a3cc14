using System.Runtime.CompilerServices;
using MaskBias.MLNet.Native;
using TorchSharp;

namespace MaskBias.MLNet.Tests;

internal static class LoadLibtorch
{
    // Tests use TorchSharp directly, so it must find libtorch loaded. They run side by side: one libtorch thread each, which do not
    // wait for one another on a machine of few cores.
    [ModuleInitializer]
    internal static void Run()
    {
        if (AssemblyInfoAnswer.IsAsked) return;                 // it must end quickly
        TorchRuntime.EnsureLoaded();
        torch.set_num_threads(1);
    }
}
