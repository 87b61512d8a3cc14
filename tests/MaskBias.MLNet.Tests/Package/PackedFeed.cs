using System.IO.Compression;
using System.Xml.Linq;
using MaskBias.MLNet.Tests.Samples;

namespace MaskBias.MLNet.Tests.Package;

/// <summary>A folder with the packages of this repository's libraries, packed from what was built.</summary>
public sealed class PackedFeed : IDisposable
{
    private readonly TempFolder folder = new();

    public PackedFeed()
    {
        foreach (string library in Libraries)
        {
            var (code, output, errors) = BuiltProgram.RunDotnet(
                Fixtures.Root, "pack", "--no-build", "-c", BuiltProgram.Configuration, "-o", Path, System.IO.Path.Combine("src", library));
            Assert.True(code == 0, output + errors);
        }
    }

    public static string[] Libraries { get; } =
        ["MaskBias.MLNet", "MaskBias.MLNet.Extensions", "MaskBias.MLNet.VectorSearch", "MaskBias.MLNet.Experiments.Trees"];

    public string Path => folder.Path;

    /// <summary>The version that was packed.</summary>
    public string Version
    {
        get
        {
            using var package = Open(Libraries[0], "nupkg");
            return Description(package)["version"].Single().Value;
        }
    }

    /// <summary>Opens a package: <c>nupkg</c>, or <c>snupkg</c> with its symbols.</summary>
    internal ZipArchive Open(string library, string extension) => ZipFile.OpenRead(Directory.GetFiles(Path, $"{library}.*.{extension}")
        .Single(file => char.IsDigit(System.IO.Path.GetFileName(file)[library.Length + 1])));           // the name, then the version

    /// <summary>The elements of a package's description by name.</summary>
    internal static ILookup<string, XElement> Description(ZipArchive package)
    {
        using var text = package.Entries.Single(e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(text).Descendants().ToLookup(e => e.Name.LocalName);
    }

    public void Dispose() => folder.Dispose();
}
