using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Samples.Cli.Study.Jobs;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using CellTraining = MaskBias.MLNet.Samples.Cli.Study.Jobs.Training;

namespace MaskBias.MLNet.Tests.Samples.Study;

/// <summary>The masks of a study: found, kept, and given to other images.</summary>
public sealed class StudyMasksTests : IDisposable
{
    private readonly SceneStudy study = new();

    [Fact]
    public void Shuffled_masks_are_those_of_another_image()
    {
        // Each has one mask of a width of its own; every third image is of another size.
        byte[][] masks = [.. Enumerable.Range(0, 12)
            .Select(i => Stripe(i % 3 == 0 ? 24 : 48, i % 3 == 0 ? 40 : 80, (i + 1) / 16.0).Encode())];
        byte[][] shuffled = StudyMasks.Shuffled(masks, seed: 5);
        Assert.Equal(masks.Length, shuffled.Length);
        double[] before = [.. masks.Select(Share)], after = [.. shuffled.Select(Share)];
        for (int i = 0; i < masks.Length; i++)
        {
            var (own, other) = (MaskSet.Decode(masks[i]), MaskSet.Decode(shuffled[i]));
            Assert.Equal((own.Height, own.Width), (other.Height, other.Width));
            Assert.True(Math.Abs(before[i] - after[i]) > 0.04, $"Image {i} has its own masks.");
        }
        // Each image's masks go to one other image.
        Assert.All(Pairs.Of(before.Order(), after.Order()), pair => Assert.Equal(pair.First, pair.Second, 0.03));
        Assert.Equal(shuffled, StudyMasks.Shuffled(masks, seed: 5));
        Assert.NotEqual(shuffled, StudyMasks.Shuffled(masks, seed: 6));
    }

    [Fact]
    public void Masks_are_fitted_to_photographs_of_many_rows()
    {
        // 50000 rows of one times 60000 of the other are more than an int holds.
        byte[][] shuffled = StudyMasks.Shuffled([Stripe(50_000, 1, 0.5).Encode(), Stripe(60_000, 1, 0.5).Encode()], seed: 1);
        var (first, second) = (MaskSet.Decode(shuffled[0]), MaskSet.Decode(shuffled[1]));
        Assert.Equal((50_000, 60_000, 50_000, 60_000), (first.Height, second.Height, (int)first.Area(0), (int)second.Area(0)));
    }

    [Fact]
    public void Masks_that_are_made_anew_are_used_and_a_copy_of_the_old_ones_is_the_same()
    {
        study.WriteObjectMasks();
        var plan = PlanReader.Read(study.Plan("""
            { "Name": "plain", "Method": "Dino" }, { "Name": "bias", "Method": "Dino", "Masks": "segment" },
            { "Name": "files", "Method": "Dino", "Masks": "files" }
            """));
        var first = StudyImages.Find(plan.Data, study.Data, [])!;
        string mask = Path.Combine(study.Data, "masks", first.Name(first.Test[0]));
        var (keys, area) = Found();
        File.SetLastWriteTimeUtc(mask, DateTime.UnixEpoch);
        Assert.Equal(keys, Found().Keys);

        SceneStudy.WriteMask(mask, from: 12);
        var (newKeys, newArea) = Found();
        Assert.Equal(keys[..2], newKeys[..2]);                              // without masks, and with the segmenter's
        Assert.NotEqual(keys[2], newKeys[2]);
        Assert.Equal((256L, 144L), (area, newArea));

        (string[] Keys, long Area) Found()
        {
            var images = StudyImages.Find(plan.Data, study.Data, [])!;
            var masks = new StudyMasks(plan, study.Data, images, new(study.At("out"))).Of("files", images.Test, CancellationToken.None);
            return ([.. plan.Cells.Select(cell => CellTraining.Of(plan, images, cell, 1)!.Key)], MaskSet.Decode(masks[0]).Area(0));
        }
    }

    public void Dispose() => study.Dispose();

    private static MaskSet Stripe(int height, int width, double share) =>
        MaskSet.FromBitmaps(height, width, [[.. Enumerable.Range(0, height * width).Select(i => i % width < share * width)]]);

    private static double Share(byte[] masks)
    {
        var set = MaskSet.Decode(masks);
        return (double)set.Area(0) / (set.Height * set.Width);
    }
}
