using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Native;

/// <summary>
/// Asks Linux for large pages. Memory that is new to the process costs a fault per page when it is first written: at 4 KiB a page that takes
/// as long as reading a checkpoint from a fast disk, at 2 MiB a fifth of it.
/// </summary>
internal static partial class LargePages
{
    private const int UseLargePages = 14;               // MADV_HUGEPAGE
    private const long LeastLength = 1 << 20;

    /// <summary>Asks for large pages under a CPU tensor that nobody has written yet. Where there are none, nothing changes.</summary>
    /// <returns>The same tensor.</returns>
    public static unsafe Tensor Under(Tensor tensor)
    {
        long length = tensor.NumberOfElements * tensor.ElementSize, page = Environment.SystemPageSize;
        if (!OperatingSystem.IsLinux() || length is < LeastLength or > int.MaxValue) return tensor;
        fixed (byte* first = tensor.bytes)
        {
            // From the start of its first page: the kernel joins neighbours, so that large pages lie across tensors too.
            long start = (long)first / page * page;
            _ = Advise((nint)start, (nuint)((long)first + length - start), UseLargePages);
        }
        return tensor;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
