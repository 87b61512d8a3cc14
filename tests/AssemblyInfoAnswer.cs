using System.Runtime.CompilerServices;
using System.Text;

namespace MaskBias.MLNet.Tests;

/// <summary>
/// Before the tests, the runner asks a process of their assembly about it and reads its answer as JSON. Where that process takes a second
/// to end, as on a busy machine, it says that it waits (xunit issue 3576); the runner takes that for a part of the answer, and runs no test.
/// </summary>
internal sealed class AssemblyInfoAnswer(TextWriter inner) : TextWriter
{
    private const string Question = "-assemblyInfo", Complaint = "Waiting ";

    public override Encoding Encoding => inner.Encoding;

    /// <summary>Whether this process only answers that question.</summary>
    public static bool IsAsked => Environment.GetCommandLineArgs().Contains(Question, StringComparer.OrdinalIgnoreCase);

    public override void Write(char value) => inner.Write(value);

    public override void WriteLine(string? value)
    {
        if (value?.StartsWith(Complaint, StringComparison.Ordinal) != true) inner.WriteLine(value);
    }

    public override void Flush() => inner.Flush();

    [ModuleInitializer]
    internal static void Run()
    {
        if (IsAsked) Console.SetOut(new AssemblyInfoAnswer(Console.Out));
    }
}
