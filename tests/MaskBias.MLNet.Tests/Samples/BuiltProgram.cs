using System.Diagnostics;

namespace MaskBias.MLNet.Tests.Samples;

/// <summary>Runs a program of this repository, as it was built, in a process of its own.</summary>
internal static class BuiltProgram
{
    /// <summary>Debug or Release, whichever the tests were built as.</summary>
    public static string Configuration { get; } =
        AppContext.BaseDirectory.Split(Path.DirectorySeparatorChar).Contains("Debug") ? "Debug" : "Release";

    /// <summary>Starts a program with its output redirected.</summary>
    public static Process Start(string project, string program, params string[] arguments) =>
        StartDotnet(Environment.CurrentDirectory, [Built(project, program), .. arguments]);

    /// <summary>Runs a program to its end.</summary>
    public static (int Code, string Output, string Errors) Run(string project, string program, params string[] arguments)
    {
        using var process = Start(project, program, arguments);
        return ToItsEnd(process, program);
    }

    /// <summary>Runs a program to its end with variables of its own in the environment.</summary>
    public static (int Code, string Output, string Errors) RunWith(
        IReadOnlyDictionary<string, string> environment, string project, string program, params string[] arguments)
    {
        using var process = StartDotnet(Environment.CurrentDirectory, [Built(project, program), .. arguments], environment);
        return ToItsEnd(process, program);
    }

    /// <summary>Runs <c>dotnet</c> in a folder, to its end.</summary>
    public static (int Code, string Output, string Errors) RunDotnet(string folder, params string[] arguments)
    {
        using var process = StartDotnet(folder, arguments);
        return ToItsEnd(process, "dotnet " + string.Join(' ', arguments));
    }

    private static string Built(string project, string program) =>
        Path.Combine(Fixtures.Root, project, "bin", Configuration, "net10.0", program + ".dll");

    private static Process StartDotnet(string folder, string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static (int Code, string Output, string Errors) ToItsEnd(Process process, string program)
    {
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
