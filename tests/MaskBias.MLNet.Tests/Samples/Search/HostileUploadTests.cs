using MaskBias.MLNet.Benchmarks.Fuzzing;
using MaskBias.MLNet.Tests.Images;
using SkiaSharp;

namespace MaskBias.MLNet.Tests.Samples.Search;

/// <summary>A slice of the benchmark hostile-web.</summary>
public sealed class HostileUploadTests
{
    [Fact]
    public async Task Hostile_requests_are_answered_and_nothing_outside_the_data_folder_is_touched()
    {
        const string Secret = "what no answer may hold";
        await using var search = await RunningSearch.StartAsync(o => o with { MaxConcurrentWork = 4 });
        string outside = Path.GetDirectoryName(search.Data)!;
        File.WriteAllText(Path.Combine(outside, "secret.txt"), Secret);
        byte[][] seeds =
        [
            SampleImages.Shape(0, 1), SampleImages.Shape(0, 1, format: SKEncodedImageFormat.Jpeg),
            SampleImages.Shape(0, 1, format: SKEncodedImageFormat.Webp),
            SampleImages.Noise(60, 50, SKEncodedImageFormat.Png, transparent: true),
        ];
        var before = FolderSnapshot.Of(outside, search.Data);
        var client = new HostileClient(new(search.Address), new(seeds, most: 1 << 16), tooManyBytes: 1 << 20, Secret)
        {
            Stall = TimeSpan.FromSeconds(1),
        };
        var outcomes = await client.RunAsync(400, clients: 8);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join("; ", outcomes));
        Assert.DoesNotContain(outcomes, o => o.Key.StartsWith("FAULT", StringComparison.Ordinal));
        Assert.Superset(new HashSet<string> { "201", "413", "415", "422" }, outcomes.Keys.ToHashSet());
        Assert.Empty(FolderSnapshot.Differences(before, FolderSnapshot.Of(outside, search.Data)));
        await search.AddAsync(SampleImages.Shape(1, 77));
    }
}
