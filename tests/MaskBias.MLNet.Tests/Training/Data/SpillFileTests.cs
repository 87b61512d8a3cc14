using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Tests.Training.Output;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Training.Data;

/// <summary>The file of decoded images beyond the memory budget. It loses its name when it is made: what shows it is that it is open.</summary>
[Collection(nameof(LiveTensors))]
public sealed class SpillFileTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    [Fact]
    public void It_is_there_during_the_run_and_gone_after_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Open files are listed in /proc.");
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable(scenes.Rows());
        var decoded = ml.Transforms.LoadImages("Image", null, "ImagePath").Fit(data).Transform(data);
        var during = new List<int>();
        var options = TinyTraining.MaskedDino().With(o =>
        {
            (o.ImageColumnName, o.ImageCacheMegabytes, o.Output.Folder) = ("Image", 0, null);
            o.Progress = new Each(_ => during.Add(Open()));
        });
        int before = Open();
        using var model = ml.SelfSupervised().Dino(options).Fit(decoded);
        Assert.NotEmpty(during);
        Assert.All(during, open => Assert.Equal(before + 1, open));
        Assert.Equal(before, Open());
    }

    private static int Open() => new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos().Count(file => IsSpill(file.LinkTarget));

    private static bool IsSpill(string? target) => Path.GetFileName(target) is { } name
        && name.StartsWith("maskbias-", StringComparison.Ordinal) && name.EndsWith(".pixels (deleted)", StringComparison.Ordinal);
}
