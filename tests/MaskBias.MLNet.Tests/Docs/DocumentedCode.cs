namespace MaskBias.MLNet.Tests.Docs;

/// <summary>Code and commands as the pages of the documentation print them.</summary>
internal static class DocumentedCode
{
    /// <summary>README.md and the pages below docs, by their paths in the repository.</summary>
    public static IReadOnlyList<string> Pages { get; } =
    [
        "README.md",
        .. Directory.GetFiles(Path.Combine(Fixtures.Root, "docs"), "*.md").Order(StringComparer.Ordinal)
            .Select(file => "docs/" + Path.GetFileName(file)),
    ];

    /// <summary>A page's text, its lines ended by "\n".</summary>
    public static string Read(string page) => File.ReadAllText(Path.Combine(Fixtures.Root, page)).ReplaceLineEndings("\n");

    /// <summary>All blocks between fences with their language, which may be empty.</summary>
    public static IEnumerable<(string Language, string Text)> Blocks(string page)
    {
        string[] parts = ("\n" + Read(page)).Split("\n```");
        for (int i = 1; i + 1 < parts.Length; i += 2)
        {
            int end = parts[i].IndexOf('\n', StringComparison.Ordinal);
            yield return end < 0 ? (parts[i].Trim(), "") : (parts[i][..end].Trim(), parts[i][(end + 1)..]);
        }
    }

    /// <summary>The C# block of a page that has a text, with other texts in it replaced.</summary>
    public static string Block(string page, string with, Dictionary<string, string>? replaced = null)
    {
        string text = Assert.Single(Blocks(page), b => b.Language == "csharp" && b.Text.Contains(with, StringComparison.Ordinal)).Text;
        foreach (var (old, anew) in replaced ?? [])
        {
            Assert.Contains(old, text);
            text = text.Replace(old, anew, StringComparison.Ordinal);
        }
        return text;
    }

    /// <summary>Checks that a page shows a test's code: what stands between "// From here" and "// to here." in its file.</summary>
    public static void AssertShown(string page, string testFile)
    {
        string body = Read(testFile).Split("// From here\n")[1].Split("        // to here.")[0];
        var lines = body.Split('\n').Select(line => line.StartsWith("        ", StringComparison.Ordinal) ? line[8..] : line);
        Assert.Contains(string.Join('\n', lines).Trim(), Read(page));
    }
}
