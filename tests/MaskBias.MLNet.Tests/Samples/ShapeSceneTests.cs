using MaskBias.MLNet.Samples.Scenes;
using SkiaSharp;

namespace MaskBias.MLNet.Tests.Samples;

public sealed class ShapeSceneTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public void The_same_seed_gives_the_same_scenes_and_another_gives_others()
    {
        var scene = ShapeScenes.Render(3, 7, new());
        Assert.Equal(scene.Rgb, ShapeScenes.Render(3, 7, new() { ImagesPerClass = 1 }).Rgb);
        Assert.NotEqual(scene.Rgb, ShapeScenes.Render(3, 8, new()).Rgb);
        Assert.NotEqual(scene.Rgb, ShapeScenes.Render(4, 7, new()).Rgb);
        Assert.NotEqual(scene.Rgb, ShapeScenes.Render(3, 7, new() { Seed = 2 }).Rgb);
    }

    [Fact]
    public void Files_hold_the_rendered_pixels()
    {
        var options = new ShapeSceneOptions { ImagesPerClass = 2, Size = 40 };
        var paths = ShapeScenes.Generate(folder.Path, options);
        Assert.Equal(20, paths.Count);
        for (int i = 0; i < paths.Count; i++)
        {
            Assert.Equal(ShapeScenes.ClassNames[i / 2], Path.GetFileName(Path.GetDirectoryName(paths[i])));
            using var picture = SKBitmap.Decode(paths[i]);
            Assert.Equal(ShapeScenes.Render(i / 2, i % 2, options).Rgb, picture.Pixels.SelectMany(p => new[] { p.Red, p.Green, p.Blue }));
        }
    }

    [Fact]
    public void Generating_again_replaces_the_scenes_and_never_a_users_files()
    {
        ShapeScenes.Generate(folder.Path, new() { ImagesPerClass = 3, Size = 32 });
        ShapeScenes.Generate(folder.Path, new() { ImagesPerClass = 1, Size = 32 });
        Assert.Equal(10, Directory.GetFiles(folder.Path, "*.png", SearchOption.AllDirectories).Length);

        using var own = new TempFolder();
        string photo = own.Write("circle/mine.png", [1]);
        var error = Assert.Throws<IOException>(() => ShapeScenes.Generate(own.Path, new()));
        Assert.Contains("files that are not generated scenes", error.Message);
        Assert.True(File.Exists(photo));
    }

    [Fact]
    public void The_object_differs_in_shape_alone_from_class_to_class()
    {
        const int PerClass = 60;
        var scenes = Enumerable.Range(0, 10)
            .Select(c => Enumerable.Range(0, PerClass).Select(i => ShapeScenes.Render(c, i, new())).ToArray()).ToArray();

        // The spread of a uniform byte is 74: a class's mean of 60 stays within 4 standard errors of the mean of all.
        foreach (var channel in new Func<ShapeScene, double>[] { s => s.ObjectColor.R, s => s.ObjectColor.G, s => s.ObjectColor.B })
        {
            double overall = scenes.SelectMany(c => c).Average(channel);
            Assert.All(scenes, c => Assert.InRange(c.Average(channel), overall - 38, overall + 38));
        }
        foreach (var share in new Func<ShapeScene, double>[] { s => Center(s).X, s => Center(s).Y })
            Assert.All(scenes, c => Assert.InRange(c.Average(share), 0.4, 0.6));

        // Where the nearest mean colour decides, it is right about one time in ten.
        double[][] means = [.. scenes.Select(c => Color(c.Take(30)))];
        int right = scenes.SelectMany(c => c.Skip(30))
            .Count(s => Enumerable.Range(0, 10).MinBy(c => Distance(Color([s]), means[c])) == s.ClassIndex);
        Assert.InRange(right, 0, 60);                       // of 300; 30 expected, with a deviation of about 5
    }

    [Fact]
    public void The_object_mask_lies_within_the_picture_and_has_the_asked_extent()
    {
        var options = new ShapeSceneOptions { SmallestObject = 0.5, LargestObject = 0.6, MaximumRotation = 0 };
        foreach (int c in Enumerable.Range(0, 10))
        {
            var mask = ShapeScenes.Render(c, 0, options).ObjectMask;
            var inside = Enumerable.Range(0, mask.Length).Where(i => mask[i] != 0).ToArray();
            int width = inside.Max(i => i % 64) - inside.Min(i => i % 64) + 1;
            int height = inside.Max(i => i / 64) - inside.Min(i => i / 64) + 1;
            Assert.InRange(Math.Max(width, height), 0.5 * 64 - 2, 0.6 * 64 + 2);
        }
    }

    [Fact]
    public void Bad_options_are_named()
    {
        Assert.Contains("Size is 8", Assert.Throws<ArgumentException>(() => ShapeScenes.Render(0, 0, new() { Size = 8 })).Message);
        Assert.Contains("SmallestObject is 0.7", Assert.Throws<ArgumentException>(
            () => ShapeScenes.Render(0, 0, new() { SmallestObject = 0.7, LargestObject = 0.6 })).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => ShapeScenes.Render(10, 0, new()));
    }

    public void Dispose() => folder.Dispose();

    private static double[] Color(IEnumerable<ShapeScene> scenes) =>
        [scenes.Average(s => s.ObjectColor.R), scenes.Average(s => s.ObjectColor.G), scenes.Average(s => s.ObjectColor.B)];

    private static double Distance(double[] a, double[] b) => a.Zip(b, (x, y) => (x - y) * (x - y)).Sum();

    private static (double X, double Y) Center(ShapeScene scene)
    {
        var inside = Enumerable.Range(0, scene.ObjectMask.Length).Where(i => scene.ObjectMask[i] != 0).ToArray();
        return (Middle(inside.Select(i => i % scene.Size)), Middle(inside.Select(i => i / scene.Size)));

        double Middle(IEnumerable<int> places) => (places.Min() + places.Max() + 1) / 2.0 / scene.Size;
    }
}
