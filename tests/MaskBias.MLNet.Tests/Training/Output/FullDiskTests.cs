using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Output;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Training.Output;

/// <summary>A disk that is full: a small file system in memory, which only root can mount.</summary>
public sealed class FullDiskTests(SceneFolder scenes) : IClassFixture<SceneFolder>, IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public void A_run_ends_with_its_last_checkpoint_whole_and_goes_on_when_there_is_room()
    {
        Mount("size=3m");
        var error = Assert.ThrowsAny<IOException>(() => Fit(ExistingRun.Refuse));
        Assert.Contains("No space left", error.Message);
        Assert.Contains("The last good one is", error.Message);
        Mount("remount,size=100m");
        using var resumed = Fit(ExistingRun.Resume);
        Assert.True(resumed.Report.ResumedSteps > 0);
        Assert.Empty(resumed.Report.Warnings);
        using var whole = Fit(ExistingRun.Refuse, toDisk: false);
        TinyTraining.AssertSame(TinyTraining.Weights(whole.Encoder), TinyTraining.Weights(resumed.Encoder));
    }

    [Fact]
    public void Decoded_images_that_do_not_fit_name_the_option()
    {
        Mount("size=64k");
        using var spill = new PixelSpill(folder.Path);
        var image = new RgbImage(100, 100, new byte[30_000]);
        var error = Assert.Throws<IOException>(() =>
        {
            for (int i = 0; i < 10; i++) spill.Add(image);
        });
        Assert.Contains("ImageCacheMegabytes", error.Message);
    }

    private PretrainedTransformer Fit(ExistingRun whenUsed, bool toDisk = true)
    {
        var ml = new MLContext(1);
        return ml.SelfSupervised().Dino(TinyTraining.MaskedDino().With(o =>
        {
            o.Epochs = 20;
            if (toDisk) o.Output = new() { Folder = folder.Path, WhenUsed = whenUsed, KeepCheckpoints = 100 };
        })).Fit(scenes.LoadWithMasks(ml));
    }

    private void Mount(string options) => Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder.Path),
        "no file system can be mounted here (that takes root)");

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var child = new ChildProcess(new(program, arguments));
            return child.End().Code == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    public void Dispose()
    {
        Run("umount", folder.Path);
        folder.Dispose();
    }
}
