using System.Diagnostics;

namespace MaskBias.MLNet.Tests.Samples;

/// <summary>Runs a program of this repository, as it was built, in a process of its own.</summary>
internal static class BuiltProgram
{
    /// <summary>Starts a program with its output redirected.</summary>
    public static Process Start(string project, string program, params string[] arguments)
    {
        string configuration = AppContext.BaseDirectory.Split(Path.DirectorySeparatorChar).Contains("Debug") ? "Debug" : "Release";
        string path = Path.Combine(Fixtures.Root, project, "bin", configuration, "net10.0", program + ".dll");
        var start = new ProcessStartInfo("dotnet", [path, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        return Process.Start(start)!;
    }

    /// <summary>Runs a program to its end.</summary>
    public static (int Code, string Output, string Errors) Run(string project, string program, params string[] arguments)
    {
        using var process = Start(project, program, arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(300_000))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} did not end.");
        }
        return (process.ExitCode, output.Result, errors.Result);
    }
}
