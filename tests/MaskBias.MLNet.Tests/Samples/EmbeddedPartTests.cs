using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.KeyMaps;

namespace MaskBias.MLNet.Tests.Samples;

/// <summary>Parts of embeddings, known again by what they are made of.</summary>
public sealed class EmbeddedPartTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public void A_part_is_done_until_its_images_the_checkpoint_or_the_loading_are_others()
    {
        string[] images = [folder.Write("a.png", [1]), folder.Write("b.png", [1, 2])];
        string checkpoint = folder.Write("encoder.pth", [1]);
        Finish();
        foreach (var other in new CheckpointLoadOptions[]
        {
            new() { Branch = CheckpointBranch.Student }, new() { Heads = 3 }, new() { NormEpsilon = 1e-5 },
            new() { PositionResampling = PositionResampling.Size },
        }) Assert.False(Part(other).IsDone);

        Assert.False(Part(new(), upright: false).IsDone);
        File.WriteAllBytes(images[1], [1, 2, 3]);                   // of the other process' part
        Assert.True(Part(new()).IsDone);
        foreach (string file in new[] { images[0], checkpoint })
        {
            File.WriteAllBytes(file, [1, 2]);
            Assert.False(Part(new()).IsDone);
            Finish();
            File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch);
            Assert.False(Part(new()).IsDone);
            Finish();
        }
        Part(new()).Start();                                        // what is half done has no note
        Assert.False(Part(new()).IsDone);

        EmbeddedPart Part(CheckpointLoadOptions options, bool upright = true) =>
            EmbeddedPart.Of(Path.Combine(folder.Path, "parts"), images, checkpoint, options, upright, rank: 0, ranks: 2)!;

        void Finish()
        {
            var part = Part(new());
            File.WriteAllBytes(part.Path, []);
            part.Finish();
            Assert.True(Part(new()).IsDone);
        }
    }

    public void Dispose() => folder.Dispose();
}
