using System.Runtime.InteropServices;

namespace MaskBias.MLNet.Native;

/// <summary>The environment that native libraries read: on Linux and macOS the process's own, of which .NET's is a copy.</summary>
internal static partial class NativeEnvironment
{
    private const string OrtTelemetry = "ORT_DISABLE_TELEMETRY";

    /// <summary>Sets a variable, unless the environment has it already.</summary>
    public static void SetUnlessSet(string name, string value)
    {
        if (!OperatingSystem.IsWindows()) _ = SetEnvironment(name, value, overwrite: 0);
        else if (Environment.GetEnvironmentVariable(name) is null) Environment.SetEnvironmentVariable(name, value);
    }

    /// <summary>
    /// Keeps ONNX Runtime, from 1.29 on, from reporting hashes and names of models to its maker, and from keeping files of that in the
    /// user's cache folder. To be called before it is used first; whoever wants the reports sets ORT_DISABLE_TELEMETRY=0.
    /// </summary>
    public static void KeepOnnxRuntimePrivate() => SetUnlessSet(OrtTelemetry, "1");

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
