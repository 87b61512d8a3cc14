using System.IO.Compression;
using System.Runtime.InteropServices;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Tests.Docs;
using MaskBias.MLNet.Tests.Samples;

namespace MaskBias.MLNet.Tests.Package;

/// <summary>The packages as their users get them: from a feed, into a project that knows nothing of this repository.</summary>
[Trait("Category", "Package")]
public sealed class PackageTests(PackedFeed feed) : IClassFixture<PackedFeed>, IDisposable
{
    private const string Pipeline = "SelfSupervised().Dino(";                                 // what the README's example has in it

    private readonly TempFolder folder = new();

    [Fact]
    public void The_readme_example_runs_from_the_package()
    {
        ShapeScenes.Generate(Path.Combine(folder.Path, "photos"), new() { ImagesPerClass = 2, Size = 32 });
        Write("nuget.config", $"""
            <configuration><packageSources><add key="packed" value="{feed.Path}" /></packageSources></configuration>
            """);
        Write("App.csproj", Project());
        Write("Program.cs", $"""
            using MaskBias.MLNet.Catalog;
            using MaskBias.MLNet.Distillation;
            using MaskBias.MLNet.Pretraining.Dino;
            using Microsoft.ML;
            using Microsoft.ML.Data;

            {Example()}
            var predicted = ml.Model.Load("model.zip", out _).Transform(photos).GetColumn<string>("PredictedLabel");
            Console.WriteLine(predicted.Count() + " photos have a class");
            """);

        var (code, output, errors) = BuiltProgram.RunDotnet(folder.Path, "run", "-c", "Release");

        Assert.True(code == 0, output + errors);
        Assert.Contains("20 photos have a class", output);
        Assert.True(new FileInfo(Path.Combine(folder.Path, "model.zip")).Length > 10_000);
        Assert.True(Directory.Exists(Path.Combine(folder.Path, "packages", "maskbias.mlnet")), "The package came from elsewhere.");
    }

    [Fact]
    public void Each_package_has_what_a_reader_and_a_debugger_need()
    {
        foreach (string library in PackedFeed.Libraries)
        {
            using var package = feed.Open(library, "nupkg");
            using var symbols = feed.Open(library, "snupkg");
            string[] files = [.. package.Entries.Select(e => e.FullName)];
            foreach (string expected in new[] { $"lib/net10.0/{library}.dll", $"lib/net10.0/{library}.xml", "PACKAGE.md", "icon.png" })
                Assert.Contains(expected, files);
            Assert.Contains($"lib/net10.0/{library}.pdb", symbols.Entries.Select(e => e.FullName));
            Assert.InRange(package.Entries.Sum(e => e.Length), 1, 8 << 20);                             // no native library by accident

            var described = PackedFeed.Description(package);
            foreach (string element in new[] { "description", "tags", "readme", "icon", "copyright" })
                Assert.False(string.IsNullOrWhiteSpace(described[element].Single().Value), $"{library}: {element}");
            Assert.Equal("MIT", described["license"].Single().Value);
            Assert.StartsWith("# Changes", described["releaseNotes"].Single().Value);
            Assert.DoesNotContain(described["dependency"], d => d.Attribute("id")!.Value.StartsWith("libtorch", StringComparison.Ordinal));
            if (Path.Exists(Path.Combine(Fixtures.Root, ".git")))
                Assert.Matches("^[0-9a-f]{40}$", described["repository"].Single().Attribute("commit")!.Value);
        }
    }

    [Fact]
    public void Nothing_that_a_package_needs_is_of_a_version_that_is_not_released()
    {
        using var package = feed.Open("MaskBias.MLNet", "nupkg");
        var needed = PackedFeed.Description(package)["dependency"]
            .ToDictionary(d => d.Attribute("id")!.Value, d => d.Attribute("version")!.Value);
        Assert.Equal("2.88.9", needed["SkiaSharp"]);                                         // ML.NET's own; 3.x breaks its images
        Assert.All(needed.Values, version => Assert.DoesNotContain('-', version));
    }

    [Fact]
    public void The_page_of_the_package_shows_the_readme_example() =>
        Assert.Equal(DocumentedCode.Block("README.md", Pipeline), DocumentedCode.Block("src/MaskBias.MLNet/PACKAGE.md", Pipeline));

    public void Dispose() => folder.Dispose();

    // One epoch; all else as printed.
    private static string Example() => DocumentedCode.Block("README.md", Pipeline, new()
    {
        ["MaskColumnName = \"Masks\";"] = "MaskColumnName = \"Masks\"; dino.Epochs = distillation.Epochs = 1;",
    });

    // The cache of packages stays as it is: what it has is used in place, and the rest comes to this folder.
    private string Project() => $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
            <NuGetAudit>false</NuGetAudit>
            <RestorePackagesPath>packages</RestorePackagesPath>
            <RestoreFallbackFolders>{CachedPackages()}</RestoreFallbackFolders>
            <CreateHardLinksForCopyFilesToOutputDirectoryIfPossible>true</CreateHardLinksForCopyFilesToOutputDirectoryIfPossible>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="MaskBias.MLNet" Version="{feed.Version}" />
            <PackageReference Include="{Libtorch()}" Version="2.10.0" />
          </ItemGroup>
        </Project>
        """;

    private static string Libtorch() => RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? "libtorch-cpu-win-x64"
        : RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? "libtorch-cpu-osx-arm64" : "libtorch-cpu-linux-x64";

    private static string CachedPackages() => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named ? named
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(folder.Path, name), text);
}
