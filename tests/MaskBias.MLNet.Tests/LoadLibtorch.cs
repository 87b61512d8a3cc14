using System.Runtime.CompilerServices;
using MaskBias.MLNet.Native;
using TorchSharp;

namespace MaskBias.MLNet.Tests;

internal static class LoadLibtorch
{
    // Asked for before the tests, in a process of its own that must end quickly: on a busy machine libtorch's does not, and the runner
    // then takes its complaint for the answer.
    private const string AsksAboutAssemblyOnly = "-assemblyInfo";

    // Tests use TorchSharp directly, so it must find libtorch loaded. They run side by side: one libtorch thread each, which do not
    // wait for one another on a machine of few cores.
    [ModuleInitializer]
    internal static void Run()
    {
        if (Environment.GetCommandLineArgs().Contains(AsksAboutAssemblyOnly, StringComparer.OrdinalIgnoreCase)) return;
        TorchRuntime.EnsureLoaded();
        torch.set_num_threads(1);
    }
}
