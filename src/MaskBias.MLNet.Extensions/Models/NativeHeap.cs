using System.Runtime.InteropServices;

namespace MaskBias.MLNet.Extensions.Models;

/// <summary>The heap of the C library, from which ONNX Runtime takes a model's memory.</summary>
internal static partial class NativeHeap
{
    private static bool isMissing = !OperatingSystem.IsLinux();

    /// <summary>
    /// Gives freed memory back to the system. GNU's C library keeps it in a heap per thread, and every session brings threads of its own:
    /// with a model replaced again and again, a process would grow by what lies free in all of them.
    /// </summary>
    public static void Trim()
    {
        if (isMissing) return;
        try
        {
            _ = TrimHeap(0);
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            isMissing = true;               // another C library, which does not keep it
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimHeap(nuint keep);
}
