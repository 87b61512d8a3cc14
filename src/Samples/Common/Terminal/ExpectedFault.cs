using System.Data.Common;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Training;
using Microsoft.ML.OnnxRuntime;

namespace MaskBias.MLNet.Samples.Common.Terminal;

/// <summary>Exceptions whose message tells a user what is wrong, so that no stack trace is needed.</summary>
internal static class ExpectedFault
{
    /// <summary>What to say of an exception; null where it is a fault of the program.</summary>
    public static string? Describe(Exception fault) => fault switch
    {
        // What TorchSharp makes of libtorch's errors: out of memory, most often.
        ExternalException native when native.GetType() == typeof(ExternalException) => $"{native.Message}\nWhere memory ran out, smaller batches (BatchSize, with AccumulationSteps for the same steps) and "
            + "RecomputeBlocks take less: docs/troubleshooting.md.",
        IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException or InvalidOperationException or NotSupportedException
            or DllNotFoundException or SocketException or DbException or TrainingDivergedException or RankFailedException or ImageReadException or OnnxRuntimeException => Cause(fault).Message,
        _ => null,
    };

    // A cached data view only says that something went wrong in it, and keeps what.
    private static Exception Cause(Exception fault)
    {
        while (fault.InnerException is { } inner && fault.Source?.StartsWith("Microsoft.ML", StringComparison.Ordinal) == true) fault = inner;
        return fault;
    }
}
