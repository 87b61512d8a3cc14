using System.Runtime.InteropServices;

namespace MaskBias.MLNet.Distributed;

/// <summary>The calls of NCCL and of the CUDA driver that sums between devices need.</summary>
internal static partial class NcclLibrary
{
    public const int IdLength = 128;

    private const string Nccl = "libnccl.so.2", Driver = "libcuda.so.1";
    private const int Success = 0, NotReady = 600;          // CUDA_ERROR_NOT_READY

    /// <summary>NCCL's numbers of the types.</summary>
    public const int Float = 7, Double = 8, SumOperation = 0;

    /// <summary>A fresh name for a group of ranks.</summary>
    /// <exception cref="DllNotFoundException">There is no NCCL.</exception>
    public static byte[] NewId()
    {
        Check(ncclGetUniqueId(out var id));
        byte[] bytes = new byte[IdLength];
        MemoryMarshal.Write(bytes, in id);
        return bytes;
    }

    /// <summary>Joins a group with the device that is current in this thread.</summary>
    public static nint Join(byte[] id, int ranks, int rank)
    {
        Check(ncclCommInitRank(out nint group, ranks, MemoryMarshal.Read<UniqueId>(id), rank));
        return group;
    }

    /// <summary>
    /// Queues a sum in place on the legacy default stream, which libtorch computes on: it begins after what was queued before it and ends
    /// before what is queued after it.
    /// </summary>
    public static void Sum(nint data, long count, int type, nint group) =>
        Check(ncclAllReduce(data, data, (nuint)count, type, SumOperation, group, stream: 0));

    /// <summary>Throws what went wrong in the group meanwhile.</summary>
    public static void CheckGroup(nint group)
    {
        Check(ncclCommGetAsyncError(group, out int error));
        Check(error);
    }

    /// <summary>Gives a group up, whatever it is at.</summary>
    public static void Abort(nint group) => _ = ncclCommAbort(group);

    /// <summary>Leaves a group.</summary>
    public static void Leave(nint group) => _ = ncclCommDestroy(group);

    /// <summary>Makes a device the current one of this thread.</summary>
    public static void UseDevice(int index)
    {
        CheckDriver(cuInit(0), "cuInit");
        CheckDriver(cuDeviceGet(out int device, index), "cuDeviceGet");
        CheckDriver(cuDevicePrimaryCtxRetain(out nint context, device), "cuDevicePrimaryCtxRetain");
        CheckDriver(cuCtxSetCurrent(context), "cuCtxSetCurrent");
    }

    /// <summary>Whether everything that was queued on the default stream is done.</summary>
    public static bool IsDone()
    {
        int state = cuStreamQuery(0);
        if (state != NotReady) CheckDriver(state, "cuStreamQuery");
        return state == Success;
    }

    private static void Check(int code)
    {
        if (code != Success) throw new RankFailedException($"NCCL failed: {Marshal.PtrToStringUTF8(ncclGetErrorString(code))}.");
    }

    private static void CheckDriver(int code, string call)
    {
        if (code != Success) throw new RankFailedException($"{call} failed with CUDA error {code}.");
    }

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct UniqueId
    {
        public fixed byte Bytes[IdLength];
    }

    [LibraryImport(Nccl)]
    private static partial int ncclGetUniqueId(out UniqueId id);

    [LibraryImport(Nccl)]
    private static partial int ncclCommInitRank(out nint group, int ranks, UniqueId id, int rank);

    [LibraryImport(Nccl)]
    private static partial int ncclAllReduce(nint send, nint receive, nuint count, int type, int operation, nint group, nint stream);

    [LibraryImport(Nccl)]
    private static partial int ncclCommGetAsyncError(nint group, out int error);

    [LibraryImport(Nccl)]
    private static partial int ncclCommAbort(nint group);

    [LibraryImport(Nccl)]
    private static partial int ncclCommDestroy(nint group);

    [LibraryImport(Nccl)]
    private static partial nint ncclGetErrorString(int code);

    [LibraryImport(Driver)]
    private static partial int cuInit(uint flags);

    [LibraryImport(Driver)]
    private static partial int cuDeviceGet(out int device, int index);

    [LibraryImport(Driver, EntryPoint = "cuDevicePrimaryCtxRetain")]
    private static partial int cuDevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(Driver, EntryPoint = "cuCtxSetCurrent")]
    private static partial int cuCtxSetCurrent(nint context);

    [LibraryImport(Driver)]
    private static partial int cuStreamQuery(nint stream);
}
