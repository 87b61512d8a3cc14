using System.Text.RegularExpressions;
using MaskBias.MLNet.Samples.Quickstart;
using MaskBias.MLNet.Tests.Samples;

namespace MaskBias.MLNet.Tests.Docs;

/// <summary>
/// Every command that README.md and docs/ print, in a fence or within a line, is run by a test or by .ci/run, or its page says why it is
/// not. One that no rule below knows fails here.
/// </summary>
public sealed partial class DocumentedCommandsTests
{
    private const string Run = "^dotnet run -c Release --project ";
    private const string Variables = @"^(?:[A-Z_]+=(?:""[^""]*""|\S+) )*";

    private static readonly string[] Benchmarks =
    [
        "NAME", "classifiers",
        .. Regex.Matches(DocumentedCode.Read("tests/Benchmarks/Program.cs"), """\["([a-z-]+)"\] = \(""").Select(m => m.Groups[1].Value),
    ];

    // Which commands there may be, and what keeps each honest: it gets what the expression's group found, and the page.
    private static readonly (string Commands, Func<string, string, bool> IsKept)[] Rules =
    [
        ("^(maskbias .*)", (command, page) => IsOfTheToolsPages(command, page) || IsSubcommand(command)),
        ("^(dotnet run -c Release --project src/Samples/(?:Quickstart|Search|Cli)(?: -- --(?:demo|help))?)$", (line, _) => InCi(line)),
        ("^(dotnet (?:test -c Release$|pack .*|tool .*))", (command, _) => InCi(command)),
        (Run + "src/Samples/Cli (--)$", (_, _) => true),                                     // how each command of docs/tool.md begins
        (Run + "src/Samples/Quickstart -- (.+)", (arguments, page) => IsParsed(arguments) && Says(page, "not run by a test")),
        (Run + "src/Samples/Nightly -- (model.zip photos embeddings.parquet)$", (_, _) => IsTest(nameof(NightlyJobTests))),
        ("^dotnet run -c Release -p:TorchBackend=(cuda-linux) .*", (_, page) => Says(page, "not run by a test")),
        (Variables + "(?:dotnet run -c Release --project tests/Benchmarks|…) -- ([a-z-]+|NAME)(?: .*)?$",
            (name, _) => Benchmarks.Contains(name) && Says("docs/benchmarks.md", "measured by hand")),
        (Variables + @"dotnet test -c Release .*--filter (?:Category=|FullyQualifiedName~)?(\w+)\b.*", (name, _) => IsTest(name)),
        (Variables + "(mpirun|mpiexec|srun) .*", (_, _) => IsTest("Tests.Distributed")),                // they start ranks under each MPI
        ("^(initdb) .*", (_, page) => Says(page, "start their own")),                        // the tests do the same
    ];

    [Fact]
    public void Every_command_is_run_somewhere()
    {
        var commands = DocumentedCode.Pages.SelectMany(page => Commands(page).Select(c => (Page: page, Command: c))).Distinct().ToList();
        Assert.True(commands.Count > 40, $"Only {commands.Count} commands were found.");
        string[] unknown = [.. commands
            .Where(c => !Rules.Any(r => Regex.Match(c.Command, r.Commands) is { Success: true } m && r.IsKept(m.Groups[1].Value, c.Page)))
            .Select(c => $"{c.Page}: {c.Command}")];
        Assert.True(unknown.Length == 0, "No test is known to run\n" + string.Join("\n", unknown));
    }

    [Fact]
    public void Every_page_and_picture_that_is_linked_exists()
    {
        foreach (string page in DocumentedCode.Pages)
        {
            foreach (Match link in Links().Matches(DocumentedCode.Read(page)))
            {
                string target = Path.Combine(Fixtures.Root, Path.GetDirectoryName(page)!, link.Groups[1].Value.Split('#')[0]);
                Assert.True(Path.Exists(target) || link.Groups[1].Value.StartsWith('#'), $"{page} links to {link.Groups[1].Value}");
            }
        }
    }

    [Fact]
    public void Every_page_is_found_from_the_readme()
    {
        var found = new HashSet<string> { DocumentedCode.Pages[0] };
        var left = new Queue<string>(found);
        while (left.TryDequeue(out string? page))
        {
            foreach (Match link in Links().Matches(DocumentedCode.Read(page)))
            {
                string target = "docs/" + Path.GetFileName(link.Groups[1].Value.Split('#')[0]);
                if (DocumentedCode.Pages.Contains(target) && found.Add(target)) left.Enqueue(target);
            }
        }
        Assert.Empty(DocumentedCode.Pages.Except(found));
    }

    // Lines of fences without a language, their comments and continuations resolved; and what is set as code and begins like a command.
    private static IEnumerable<string> Commands(string page)
    {
        var lines = DocumentedCode.Blocks(page).Where(b => b.Language.Length == 0)
            .SelectMany(b => Regex.Replace(b.Text, @"\s*\\\n\s*", " ").Split('\n'))
            .Select(line => Regex.Replace(line, @"\s+#.*", "").Trim());
        string text = Fences().Replace(DocumentedCode.Read(page), "");
        var inText = Spans().Matches(text).Select(m => Regex.Replace(m.Groups[1].Value, @"\s+", " ")).Where(s => Starts().IsMatch(s));
        return lines.Concat(inText).Where(line => line.Length > 0);
    }

    // ToolDocsTests and ReportTests run each line of their pages' fences.
    private static bool IsOfTheToolsPages(string command, string page) =>
        page is "docs/tool.md" or "docs/report.md" && DocumentedCode.Read(page).Contains($"\n{command}\n", StringComparison.Ordinal);

    private static bool IsSubcommand(string command) => Says("docs/tool.md", $"`{command.Split(' ')[1]}");

    // Its temporary folder stands for the current one.
    private static bool InCi(string command) => DocumentedCode.Read(".ci/run").Replace("\"$temp/", "", StringComparison.Ordinal)
        .Replace("\"", "", StringComparison.Ordinal).Contains(command, StringComparison.Ordinal);

    private static bool Says(string page, string text) =>
        Regex.Replace(DocumentedCode.Read(page), @"\s+", " ").Contains(text, StringComparison.Ordinal);

    // [--option] may be given.
    private static bool IsParsed(string arguments) => QuickstartArguments.Parse(arguments.Replace("[", "", StringComparison.Ordinal)
        .Replace("]", "", StringComparison.Ordinal).Split(' ')) is not null;

    // A test class or method of this assembly or a category; or a class of the other test programs.
    private static bool IsTest(string name) =>
        typeof(DocumentedCommandsTests).Assembly.GetTypes().Any(type => type.FullName!.Contains(name, StringComparison.Ordinal)
            || type.GetMethods().Any(m => m.Name.StartsWith(name, StringComparison.Ordinal))
            || type.GetCustomAttributesData().Any(a => a.ConstructorArguments.Any(c => name.Equals(c.Value))))
        || File.Exists(Path.Combine(Fixtures.Root, "tests", "Browser", name + ".cs"));

    [GeneratedRegex(@"\]\((?!https?:)([^)\s]+)\)")]
    private static partial Regex Links();

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fences();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Spans();

    [GeneratedRegex(Variables + "(?:dotnet (?:run|test|pack|tool|build)|maskbias|mpirun|mpiexec|srun|… --) ")]
    private static partial Regex Starts();
}
