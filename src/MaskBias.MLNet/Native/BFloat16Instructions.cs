using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace MaskBias.MLNet.Native;

/// <summary>Whether a device has instructions that multiply bfloat16 matrices. Others convert every factor, which takes longer than float32.</summary>
internal static class BFloat16Instructions
{
    private const int FirstCapability = 8;              // of CUDA devices: Ampere
    private const int CapabilityMajor = 75;             // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    private const int ExtendedFeatures = 7, Avx512BFloat16 = 1 << 5;

    /// <summary>Asks a device.</summary>
    public static bool On(torch.Device device) => device.type == DeviceType.CUDA ? OnCuda(Math.Max(0, device.index)) : OnProcessor;

    // CPUID leaf 7, sub-leaf 1, EAX; that the system keeps the registers is part of Avx512F.IsSupported.
    private static bool OnProcessor =>
        Avx512F.IsSupported && X86Base.CpuId(0, 0).Eax >= ExtendedFeatures && (X86Base.CpuId(ExtendedFeatures, 1).Eax & Avx512BFloat16) != 0;

    private static unsafe bool OnCuda(int index)
    {
        if (!NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out nint driver)) return false;
        if (!NativeLibrary.TryGetExport(driver, "cuInit", out nint initialize) || !NativeLibrary.TryGetExport(driver, "cuDeviceGet", out nint get)
            || !NativeLibrary.TryGetExport(driver, "cuDeviceGetAttribute", out nint attribute)) return false;
        int handle, major;
        return ((delegate* unmanaged<uint, int>)initialize)(0) == 0
            && ((delegate* unmanaged<int*, int, int>)get)(&handle, index) == 0
            && ((delegate* unmanaged<int*, int, int, int>)attribute)(&major, CapabilityMajor, handle) == 0
            && major >= FirstCapability;
    }
}
