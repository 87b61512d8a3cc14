using System.Runtime.CompilerServices;
using MaskBias.MLNet.Native;

namespace MaskBias.MLNet.Tests;

internal static class LoadNativeLibraries
{
    // Tests run in parallel, and some touch TorchSharp before this library: on older systems it would then look for libtorch by itself, in vain.
    [ModuleInitializer]
    internal static void BeforeAnyTest() => TorchRuntime.EnsureLoaded();
}
