using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>What bad rows do to training: too few of them, unreadable ones, masks that do not fit.</summary>
public sealed class BadInputTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    private readonly MLContext ml = new(1);

    [Fact]
    public void A_folder_without_images_is_an_error()
    {
        using var empty = new TempFolder();
        empty.Write("notes.txt", [1]);
        var error = Assert.Throws<ArgumentException>(() => ml.Data.LoadImageFolder(empty.Path));
        Assert.Contains($"'{empty.Path}' holds no image", error.Message);
        Assert.Contains(".jpg", error.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Training_needs_two_images(int images)
    {
        var data = ml.Data.LoadFromEnumerable(scenes.Rows().Take(images));
        string expected = $"Column 'ImagePath' has {images} readable images of {images}; training needs at least 2.";
        Assert.Equal(expected,
            Assert.Throws<InvalidOperationException>(() => ml.SelfSupervised().Dino(TinyTraining.Dino()).Fit(data)).Message);
        using var teacher = TinyTraining.Teacher();
        Assert.Equal(expected,
            Assert.Throws<InvalidOperationException>(() => ml.SelfSupervised().Distill(teacher, TinyTraining.Distillation())
                .Fit(data)).Message);
    }

    [Fact]
    public void Two_images_are_enough_and_the_batch_is_adjusted_and_reported()
    {
        List<string> log = [];
        ml.Log += (_, e) => log.Add(e.Message);
        var data = ml.Data.LoadFromEnumerable(scenes.Rows().Take(2));
        using var model = ml.SelfSupervised().Dino(TinyTraining.Dino().With(o => o.BatchSize = 512)).Fit(data);
        Assert.Equal((2, 2, 1), (model.Report.Images, model.Report.BatchSize, model.Report.StepsPerEpoch));
        Assert.Contains("BatchSize is 2, not 512: there are 2 images.", model.Report.Adjustments);
        Assert.Contains(log, m => m.Contains("BatchSize is 2, not 512"));
        Assert.Equal(2.5e-3 * 2 / 256, model.Report.LearningRate, 12);
    }

    [Fact]
    public void Unreadable_files_are_skipped_counted_and_reported()
    {
        using var broken = new TempFolder();
        var rows = scenes.Rows();
        rows[2].ImagePath = broken.Write("zero.png", []);
        rows[5].ImagePath = broken.Write("text.jpg", "no image"u8.ToArray());
        rows[7].ImagePath = Path.Combine(broken.Path, "gone.png");
        rows[8].ImagePath = broken.Write("half.png", File.ReadAllBytes(scenes.Files[8])[..200]);
        rows[9].ImagePath = "";
        List<string> log = [];
        ml.Log += (_, e) => log.Add(e.Message);

        using var model = ml.SelfSupervised().Dino(TinyTraining.Dino()).Fit(ml.Data.LoadFromEnumerable(rows));

        Assert.Equal((5, 5), (model.Report.SkippedRows, model.Report.Images));
        string line = Assert.Single(log, m => m.Contains("5 of 10 images cannot be read"));
        Assert.Contains($"Row 2, column 'ImagePath': '{rows[2].ImagePath}' is empty (0 bytes).", line);
        Assert.Contains($"Row 5, column 'ImagePath': '{rows[5].ImagePath}'", line);
        Assert.Contains($"Row 7, column 'ImagePath': '{rows[7].ImagePath}' does not exist.", line);
        Assert.Contains($"Row 8, column 'ImagePath': '{rows[8].ImagePath}'", line);
        Assert.Contains("Row 9, column 'ImagePath': the path is empty.", line);
    }

    [Fact]
    public void Unreadable_files_stop_the_run_when_the_options_say_so()
    {
        using var broken = new TempFolder();
        var rows = scenes.Rows();
        rows[6].ImagePath = broken.Write("zero.png", []);
        var data = ml.Data.LoadFromEnumerable(rows);
        var dino = TinyTraining.Dino().With(o => o.OnUnreadableImage = UnreadableTrainingImage.Throw);
        var error = Assert.Throws<ImageReadException>(() => ml.SelfSupervised().Dino(dino).Fit(data));
        Assert.Equal($"Row 6, column 'ImagePath': '{rows[6].ImagePath}' is empty (0 bytes).", error.Message);
        using var teacher = TinyTraining.Teacher();
        var distillation = TinyTraining.Distillation().With(o => o.OnUnreadableImage = UnreadableTrainingImage.Throw);
        Assert.Throws<ImageReadException>(() => ml.SelfSupervised().Distill(teacher, distillation).Fit(data));
    }

    [Fact]
    public void A_missing_decoded_image_is_skipped_like_a_file()
    {
        var rows = scenes.Files.Select((file, i) => new DecodedRow { Image = i == 4 ? null : MLImage.CreateFromFile(file) }).ToList();
        using var model = ml.SelfSupervised().Dino(TinyTraining.Dino().With(o => o.ImageColumnName = "Image"))
            .Fit(ml.Data.LoadFromEnumerable(rows));
        Assert.Equal((1, 9), (model.Report.SkippedRows, model.Report.Images));
        rows.ForEach(row => row.Image?.Dispose());
    }

    [Fact]
    public void A_file_that_LoadImages_cannot_read_is_skipped_too()
    {
        using var broken = new TempFolder();
        var rows = scenes.Rows();
        (rows[1].ImagePath, rows[3].ImagePath) = (broken.Write("zero.png", []), Path.Combine(broken.Path, "gone.png"));
        var data = ml.Data.LoadFromEnumerable(rows);
        var loaded = ml.Transforms.LoadImages("Image", null, "ImagePath").Fit(data).Transform(data);
        var options = TinyTraining.Dino().With(o => o.ImageColumnName = "Image");
        using (var model = ml.SelfSupervised().Dino(options).Fit(loaded))
            Assert.Equal((2, 8), (model.Report.SkippedRows, model.Report.Images));

        options.OnUnreadableImage = UnreadableTrainingImage.Throw;
        var error = Assert.Throws<ImageReadException>(() => ml.SelfSupervised().Dino(options).Fit(loaded));
        Assert.Matches("^Row [13], column 'Image': ", error.Message);
    }

    [Fact]
    public void All_files_unreadable_is_an_error()
    {
        var rows = scenes.Rows();
        rows.ForEach(row => row.ImagePath += ".gone");
        var error = Assert.Throws<InvalidOperationException>(() => ml.SelfSupervised().Dino(TinyTraining.Dino())
            .Fit(ml.Data.LoadFromEnumerable(rows)));
        Assert.Contains("0 readable images of 10", error.Message);
    }

    [Fact]
    public void Masks_of_another_size_than_their_image_name_the_row()
    {
        var rows = scenes.Rows();
        rows[3].Masks = SceneFolder.Halves(20, 30).Encode();
        var data = ml.Data.LoadFromEnumerable(rows);
        const string expected = "Row 3, column 'Masks': the masks are 30x20 pixels, the image is 32x32; they must be of one size.";
        Assert.Equal(expected,
            Assert.Throws<InvalidDataException>(() => ml.SelfSupervised().Dino(TinyTraining.MaskedDino()).Fit(data)).Message);

        using var teacher = TinyTraining.Teacher(maskGuided: true);
        var distillation = TinyTraining.Distillation().With(o => o.MaskColumnName = "Masks");
        Assert.Equal(expected,
            Assert.Throws<InvalidDataException>(() => ml.SelfSupervised().Distill(teacher, distillation).Fit(data)).Message);

        var embedded = ml.SelfSupervised().EmbedImages(teacher, new() { InputColumnName = "ImagePath", MaskColumnName = "Masks" })
            .Fit(data).Transform(data);
        Assert.Contains(expected, Assert.ThrowsAny<Exception>(() => embedded.GetColumn<float[]>("Features").Count()).ToString());
    }

    [Fact]
    public void Damaged_masks_name_the_row()
    {
        var rows = scenes.Rows();
        rows[4].Masks = [1, 2, 3];
        var error = Assert.Throws<InvalidDataException>(() => ml.SelfSupervised().Dino(TinyTraining.MaskedDino())
            .Fit(ml.Data.LoadFromEnumerable(rows)));
        Assert.StartsWith("Row 4, column 'Masks': ", error.Message);
    }

    [Fact]
    public void Images_smaller_than_a_patch_are_enlarged_by_the_crop()
    {
        using var small = new TempFolder();
        var rows = Enumerable.Range(1, 6).Select(i => new SceneRow
        {
            ImagePath = small.Write($"{i}.png", SceneFolder.Png(i, 7 - i)), Masks = MaskSet.Empty(7 - i, i).Encode(),
        }).ToList();
        var data = ml.Data.LoadFromEnumerable(rows);
        using var model = ml.SelfSupervised().Dino(TinyTraining.MaskedDino()).Fit(data);
        Assert.Equal(6, model.Report.Images);
        Assert.All(model.Report.Losses, loss => Assert.True(double.IsFinite(loss)));
        Assert.All(model.Transform(data).GetColumn<float[]>("Features"), f => Assert.All(f, v => Assert.True(float.IsFinite(v))));
    }

    [Fact]
    public void Extreme_panoramas_train_beside_ordinary_images()
    {
        using var wide = new TempFolder();
        var rows = scenes.Rows();
        rows[0].ImagePath = wide.Write("wide.png", SceneFolder.Png(60_000, 40));
        rows[1].ImagePath = wide.Write("tall.png", SceneFolder.Png(40, 60_000));
        using var model = ml.SelfSupervised().Dino(TinyTraining.Dino().With(o => o.BatchSize = 10)).Fit(ml.Data.LoadFromEnumerable(rows));
        Assert.Equal(10, model.Report.Images);
        Assert.All(model.Report.Losses, loss => Assert.True(double.IsFinite(loss)));
    }
}
