using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Tests.Training.Output;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Output;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Training.Data;

/// <summary>Data that fails while a run lasts: nothing is lost beyond the last checkpoint, or the run goes on and says so.</summary>
public sealed class DataFaultTests(SceneFolder scenes) : IClassFixture<SceneFolder>, IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly TempFolder output = new(), images = new();

    [Fact]
    public void Files_that_vanish_stop_the_run_at_a_whole_step_that_it_goes_on_from()
    {
        var rows = Copies();
        string gone = rows[4].ImagePath, kept = gone + ".kept";
        var error = Assert.Throws<ImageReadException>(() => Fit(rows, o => (o.OnUnreadableImage, o.Progress) = (UnreadableTrainingImage.Throw, new Each(p =>
        {
            if (p.Step == 3) File.Move(gone, kept);
        }))));
        Assert.Contains(gone, error.Message);
        File.Move(kept, gone);
        using var resumed = Fit(rows, o => (o.OnUnreadableImage, o.Output.WhenUsed) = (UnreadableTrainingImage.Throw, ExistingRun.Resume));
        Assert.InRange(resumed.Report.ResumedSteps, 3, 7);
        using var whole = Fit(rows, o => (o.OnUnreadableImage, o.Output.Folder) = (UnreadableTrainingImage.Throw, null));
        Assert.Equal(whole.Report.Losses, resumed.Report.Losses);
        TinyTraining.AssertSame(TinyTraining.Weights(whole.Encoder), TinyTraining.Weights(resumed.Encoder));
    }

    [Fact]
    public void A_file_that_changes_its_size_is_named_and_another_takes_its_place()
    {
        var rows = Copies();
        using var model = Fit(rows, o => o.Progress = new Each(p =>
        {
            if (p.Step == 1) File.WriteAllBytes(rows[2].ImagePath, SceneFolder.Png(40, 30));
        }));
        Assert.Contains(model.Report.Warnings, w => w.Contains(rows[2].ImagePath, StringComparison.Ordinal)
            && w.Contains("has changed since it was first read: it is 40x30 pixels now and was 32x32", StringComparison.Ordinal));
        Assert.Equal(8, model.Report.Losses.Count);
    }

    [Fact]
    public void An_error_of_the_data_view_comes_through()
    {
        var data = ml.Data.LoadFromEnumerable(Failing());
        var error = Assert.ThrowsAny<Exception>(() => ml.SelfSupervised().Dino(Options(_ => { })).Fit(data));
        Assert.Contains("the source is gone", error.ToString());

        IEnumerable<SceneRow> Failing()
        {
            foreach (var row in scenes.Rows().Take(6)) yield return row;
            throw new InvalidOperationException("the source is gone");
        }
    }

    [Fact]
    public void Decoded_images_beyond_the_budget_go_to_a_file_and_train_alike()
    {
        var data = ml.Data.LoadFromEnumerable(scenes.Rows());
        var decoded = ml.Transforms.LoadImages("Image", null, "ImagePath").Fit(data).Transform(data);
        using var store = ImageStore.Load(decoded, Options(o => (o.ImageColumnName, o.ImageCacheMegabytes) = ("Image", 0)), 32, Assert.Fail);
        Assert.Equal(SceneFolder.Count * 32 * 32 * 3, store.SpilledBytes);
        using var inMemory = ImageStore.Load(decoded, Options(o => o.ImageColumnName = "Image"), 32, Assert.Fail);
        Assert.Equal(0, inMemory.SpilledBytes);
        for (int i = 0; i < store.Count; i++) Assert.Equal(inMemory.Pixels(i).Pixels, store.Pixels(i).Pixels);
        Assert.Equal(inMemory.Fingerprint(), store.Fingerprint());
    }

    [Fact]
    public void Cancellation_while_images_are_read_leaves_the_folder_fit_for_a_new_start()
    {
        using var cancel = new CancellationTokenSource();
        var data = ml.Data.LoadFromEnumerable(Rows());
        Assert.ThrowsAny<OperationCanceledException>(() => ml.SelfSupervised().Dino(Options(o => o.CancellationToken = cancel.Token)).Fit(data));
        using var model = Fit(Copies(), _ => { });
        Assert.Equal(8, model.Report.Losses.Count);

        IEnumerable<SceneRow> Rows()
        {
            foreach (var row in scenes.Rows())
            {
                cancel.Cancel();
                yield return row;
            }
        }
    }

    // Every image is read anew in every epoch.
    private PretrainedTransformer Fit(List<SceneRow> rows, Action<DinoOptions> change) =>
        ml.SelfSupervised().Dino(Options(change).With(o => o.ImageCacheMegabytes = 0)).Fit(ml.Data.LoadFromEnumerable(rows));

    private DinoOptions Options(Action<DinoOptions> change) => TinyTraining.MaskedDino().With(o =>
    {
        (o.Epochs, o.Output.Folder) = (4, output.Path);
        change(o);
    });

    private List<SceneRow> Copies()
    {
        var rows = scenes.Rows();
        for (int i = 0; i < rows.Count; i++) rows[i].ImagePath = images.Write($"{i}.png", File.ReadAllBytes(rows[i].ImagePath));
        return rows;
    }

    public void Dispose()
    {
        output.Dispose();
        images.Dispose();
    }
}
