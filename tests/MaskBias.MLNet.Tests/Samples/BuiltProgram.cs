using System.Diagnostics;

namespace MaskBias.MLNet.Tests.Samples;

/// <summary>Runs a program of this repository, as it was built, in a process of its own.</summary>
internal static class BuiltProgram
{
    /// <summary>Debug or Release, whichever the tests were built as.</summary>
    public static string Configuration { get; } =
        AppContext.BaseDirectory.Split(Path.DirectorySeparatorChar).Contains("Debug") ? "Debug" : "Release";

    /// <summary>Starts a program.</summary>
    public static ChildProcess Start(string project, string program, params string[] arguments) =>
        StartDotnet(Environment.CurrentDirectory, [Built(project, program), .. arguments]);

    /// <summary>Runs a program to its end.</summary>
    public static (int Code, string Output, string Errors) Run(string project, string program, params string[] arguments)
    {
        using var child = Start(project, program, arguments);
        return child.End();
    }

    /// <summary>Runs a program to its end with variables of its own in the environment.</summary>
    public static (int Code, string Output, string Errors) RunWith(
        IReadOnlyDictionary<string, string> environment, string project, string program, params string[] arguments)
    {
        using var child = StartDotnet(Environment.CurrentDirectory, [Built(project, program), .. arguments], environment);
        return child.End();
    }

    /// <summary>Runs <c>dotnet</c> in a folder, to its end.</summary>
    public static (int Code, string Output, string Errors) RunDotnet(string folder, params string[] arguments)
    {
        using var child = StartDotnet(folder, arguments);
        return child.End();
    }

    private static string Built(string project, string program) =>
        Path.Combine(Fixtures.Root, project, "bin", Configuration, "net10.0", program + ".dll");

    private static ChildProcess StartDotnet(string folder, string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return new(start);
    }
}
