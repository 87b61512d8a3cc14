using System.Runtime.InteropServices;

namespace MaskBias.MLNet.CudaPrograms;

/// <summary>Memory of the current CUDA device, as the driver sees it: what libtorch's allocator holds counts as used.</summary>
internal static partial class DeviceMemory
{
    /// <summary>Bytes in use by all processes.</summary>
    public static long Used
    {
        get
        {
            if (cuMemGetInfo(out nuint free, out nuint total) != 0)
                throw new InvalidOperationException("cuMemGetInfo failed: no CUDA context is current.");
            return (long)(total - free);
        }
    }

    [LibraryImport("libcuda.so.1", EntryPoint = "cuMemGetInfo_v2")]
    private static partial int cuMemGetInfo(out nuint free, out nuint total);
}
