using System.Runtime.InteropServices;
using System.Text;
using MaskBias.MLNet.Native;

namespace MaskBias.MLNet.Distributed;

/// <summary>
/// The calls of MPI 3 that training needs, of whichever library the system has. All of them return at once: who waits can look around
/// meanwhile.
/// </summary>
internal sealed unsafe class MpiLibrary
{
    /// <summary>Names a library instead of those that are tried.</summary>
    public const string LibraryVariable = "MASKBIAS_MPI_LIBRARY";

    private const int VersionLength = 8192, ErrorLength = 1024, StatusLength = 64;      // at least what any ABI needs

    private static readonly string[] OpenMpiNames = ["libmpi.so.40", "libmpi.40.dylib"];
    private static readonly string[] MpichNames = ["libmpi.so.12", "libmpich.so.12", "libmpi.12.dylib", "msmpi.dll"];
    private static readonly string[] StandardNames = ["libmpi_abi.so.0", "libmpi_abi.0.dylib"];

    private readonly nint library;
    private readonly delegate* unmanaged<void*, void*, int, nint, nint, nint, nint*, int> allReduce;
    private readonly delegate* unmanaged<void*, int, nint, int, nint, nint*, int> broadcast;
    private readonly delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int> allGather;
    private readonly delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int> send;
    private readonly delegate* unmanaged<void*, int, nint, int, int, nint, void*, int> receive;
    private readonly delegate* unmanaged<int, int, nint, int*, void*, int> probe;
    private readonly delegate* unmanaged<nint*, int*, void*, int> test;
    private readonly delegate* unmanaged<nint, int, int> abort;
    private readonly delegate* unmanaged<int> finalize;
    private readonly delegate* unmanaged<int, byte*, int*, int> errorText;
    private readonly nint alarms;                   // a communicator of its own: its messages meet no others

    private MpiLibrary(nint library, string file)
    {
        this.library = library;
        Constants = Recognize(file);
        Version = ReadVersion();
        allReduce = (delegate* unmanaged<void*, void*, int, nint, nint, nint, nint*, int>)Export("MPI_Iallreduce");
        broadcast = (delegate* unmanaged<void*, int, nint, int, nint, nint*, int>)Export("MPI_Ibcast");
        allGather = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int>)Export("MPI_Iallgather");
        send = (delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int>)Export("MPI_Isend");
        receive = (delegate* unmanaged<void*, int, nint, int, int, nint, void*, int>)Export("MPI_Recv");
        probe = (delegate* unmanaged<int, int, nint, int*, void*, int>)Export("MPI_Iprobe");
        test = (delegate* unmanaged<nint*, int*, void*, int>)Export("MPI_Test");
        abort = (delegate* unmanaged<nint, int, int>)Export("MPI_Abort");
        finalize = (delegate* unmanaged<int>)Export("MPI_Finalize");
        errorText = (delegate* unmanaged<int, byte*, int*, int>)Export("MPI_Error_string");
        (Rank, Size, alarms) = Begin();
    }

    public MpiConstants Constants { get; }

    /// <summary>What the library says of itself, its first line.</summary>
    public string Version { get; }

    public int Rank { get; }

    public int Size { get; }

    /// <summary>Loads the library that the launcher belongs to, where that is known, and begins MPI.</summary>
    /// <exception cref="DllNotFoundException">There is no library of MPI.</exception>
    public static MpiLibrary Load(MpiLauncher? launcher)
    {
        string[] names = [.. Candidates(launcher)];
        KeepSignalsFree();                          // they read it when they are loaded
        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, out nint library)) return new(library, name);
        }
        throw new DllNotFoundException($"No MPI library was found (tried {string.Join(", ", names)}). Install Open MPI or MPICH, for instance the "
            + $"packages libopenmpi3 and openmpi-bin, or name the library's file in {LibraryVariable}.");
    }

    /// <summary>The libraries to try, that of the launcher first.</summary>
    internal static IEnumerable<string> Candidates(MpiLauncher? launcher)
    {
        if (Environment.GetEnvironmentVariable(LibraryVariable) is { Length: > 0 } named) return [named];
        bool isMpich = launcher is not null && !launcher.Name.StartsWith("Open MPI", StringComparison.Ordinal)
            && Environment.GetEnvironmentVariable("PMI_RANK") is not null;
        return isMpich ? [.. MpichNames, .. StandardNames, .. OpenMpiNames] : [.. OpenMpiNames, .. StandardNames, .. MpichNames];
    }

    public nint BeginSum(nint data, int count, nint type)
    {
        nint request = 0;
        Check(allReduce((void*)Constants.InPlace, (void*)data, count, type, Constants.Sum, Constants.World, &request), "MPI_Iallreduce");
        return request;
    }

    public nint BeginBroadcast(nint data, int bytes)
    {
        nint request = 0;
        Check(broadcast((void*)data, bytes, Constants.Byte, 0, Constants.World, &request), "MPI_Ibcast");
        return request;
    }

    public nint BeginGather(nint mine, int bytes, nint all)
    {
        nint request = 0;
        Check(allGather((void*)mine, bytes, Constants.Byte, (void*)all, bytes, Constants.Byte, Constants.World, &request), "MPI_Iallgather");
        return request;
    }

    /// <summary>Begins to send an alarm.</summary>
    public nint BeginSend(nint data, int bytes, int to)
    {
        nint request = 0;
        Check(send((void*)data, bytes, Constants.Byte, to, 0, alarms, &request), "MPI_Isend");
        return request;
    }

    /// <summary>Takes an alarm from a rank, if there is one.</summary>
    public bool TryReceive(nint data, int bytes, int from)
    {
        int found = 0;
        byte* status = stackalloc byte[StatusLength];
        Check(probe(from, 0, alarms, &found, status), "MPI_Iprobe");
        if (found == 0) return false;
        Check(receive((void*)data, bytes, Constants.Byte, from, 0, alarms, status), "MPI_Recv");
        return true;
    }

    /// <summary>Whether something that was begun is complete; moves it along.</summary>
    public bool Test(ref nint request)
    {
        int done = 0;
        byte* status = stackalloc byte[StatusLength];
        fixed (nint* handle = &request) Check(test(handle, &done, status), "MPI_Test");
        return done != 0;
    }

    /// <summary>Ends the processes of the job.</summary>
    public void Abort(int code) => _ = abort(Constants.World, code);

    public void End() => Check(finalize(), "MPI_Finalize");

    private nint Export(string name) => NativeLibrary.GetExport(library, name);

    private MpiConstants Recognize(string file)
    {
        if (NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out _)) return MpiConstants.OpenMpi(Export);
        bool isStandard = Path.GetFileName(file).Contains("mpi_abi", StringComparison.Ordinal);
        return isStandard ? MpiConstants.Standard : MpiConstants.Mpich;
    }

    private string ReadVersion()
    {
        byte[] text = new byte[VersionLength];
        int length = 0;
        fixed (byte* bytes = text) _ = ((delegate* unmanaged<byte*, int*, int>)Export("MPI_Get_library_version"))(bytes, &length);
        return Encoding.ASCII.GetString(text, 0, Math.Clamp(length, 0, text.Length)).Split('\n', ',')[0].Replace("\t", " ", StringComparison.Ordinal).Trim('\0', ' ');
    }

    private (int Rank, int Size, nint Alarms) Begin()
    {
        int given = 0, rank = 0, size = 0;
        nint duplicate = 0;
        Check(((delegate* unmanaged<int*, byte***, int, int*, int>)Export("MPI_Init_thread"))(null, null, Constants.Serialized, &given), "MPI_Init_thread");
        Check(((delegate* unmanaged<nint, int*, int>)Export("MPI_Comm_rank"))(Constants.World, &rank), "MPI_Comm_rank");
        Check(((delegate* unmanaged<nint, int*, int>)Export("MPI_Comm_size"))(Constants.World, &size), "MPI_Comm_size");
        Check(((delegate* unmanaged<nint, nint*, int>)Export("MPI_Comm_dup"))(Constants.World, &duplicate), "MPI_Comm_dup");
        return (rank, size, duplicate);
    }

    // The runtime needs SIGSEGV itself: neither UCX nor Open MPI may take it.
    private static void KeepSignalsFree()
    {
        NativeEnvironment.SetUnlessSet("UCX_ERROR_SIGNALS", "");
        NativeEnvironment.SetUnlessSet("UCX_WARN_UNUSED_ENV_VARS", "n");
        NativeEnvironment.SetUnlessSet("OMPI_MCA_opal_signal", "");
    }

    private void Check(int code, string call)
    {
        if (code == 0) return;
        byte* text = stackalloc byte[ErrorLength];
        int length = 0;
        _ = errorText(code, text, &length);
        throw new RankFailedException($"{call} failed: {Encoding.ASCII.GetString(text, Math.Clamp(length, 0, ErrorLength))}.");
    }
}
