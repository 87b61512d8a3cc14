namespace MaskBias.MLNet.Tests;

/// <summary>Finds the reference cases: tests/fixtures of this repository, or the folder that MASKBIAS_FIXTURES names.</summary>
internal static class Fixtures
{
    public static string Folder { get; } = Environment.GetEnvironmentVariable("MASKBIAS_FIXTURES") is { Length: > 0 } named ? named : FindAbove("tests/fixtures");

    public static string Path(string name) => System.IO.Path.Combine(Folder, name);

    /// <summary>A case that is this repository's own, and is not looked for in another folder.</summary>
    public static string OwnPath(string name) => System.IO.Path.Combine(Root, "tests", "fixtures", name);

    /// <summary>The repository's root folder.</summary>
    public static string Root { get; } = System.IO.Path.GetDirectoryName(FindAbove("MaskBias.MLNet.sln"))!;

    private static string FindAbove(string relative)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = System.IO.Path.Combine(folder.FullName, relative);
            if (System.IO.Path.Exists(candidate)) return candidate;
        }
        throw new DirectoryNotFoundException($"{relative} is not above {AppContext.BaseDirectory}.");
    }
}
