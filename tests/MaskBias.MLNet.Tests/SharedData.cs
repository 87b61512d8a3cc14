namespace MaskBias.MLNet.Tests;

/// <summary>Finds real data that is not part of the project: the folder that MASKBIAS_DATA names, or shared/data beside the repository.</summary>
internal static class SharedData
{
    private static readonly string Folder = Environment.GetEnvironmentVariable("MASKBIAS_DATA") is { Length: > 0 } named
        ? named : Path.Combine(Fixtures.Root, "..", "shared", "data");

    /// <summary>The path of a file or folder of the data; the test is skipped where it is absent.</summary>
    public static string Require(string relative)
    {
        string path = Path.GetFullPath(Path.Combine(Folder, relative));
        Assert.SkipUnless(Path.Exists(path), $"{relative} is not in {Path.GetFullPath(Folder)}; MASKBIAS_DATA may name another folder.");
        return path;
    }
}
