namespace MaskBias.MLNet.Tests;

/// <summary>
/// Real images and masks that are not the project's: the folder that MASKBIAS_DATA names, or shared/data beside the repository. Tests skip
/// where it is absent.
/// </summary>
internal static class SharedData
{
    public const string Absent = "there is no folder of shared data: set MASKBIAS_DATA or lay shared/data beside the repository";

    public static string Folder { get; } = Environment.GetEnvironmentVariable("MASKBIAS_DATA") is { Length: > 0 } named
        ? named
        : Path.GetFullPath(Path.Combine(Fixtures.Root, "..", "shared", "data"));

    /// <summary>The path of a part of the data; skips the test where it is not there.</summary>
    public static string Require(string name)
    {
        string path = Path.Combine(Folder, name);
        Assert.SkipUnless(Path.Exists(path), Absent);
        return path;
    }
}
