using System.Runtime.ExceptionServices;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Scenes;

/// <summary>
/// Pictures of ten shapes that only their shape tells apart: colour, texture, place, size, turn, background and clutter are drawn
/// independently of the class.
/// </summary>
/// <remarks>Every picture has its own generator, seeded from the seed, the class and the index: none depends on another.</remarks>
public static class ShapeScenes
{
    private const string MarkerFile = "generated-scenes.txt";

    /// <summary>The classes, in the order of their index.</summary>
    public static IReadOnlyList<string> ClassNames { get; } = Array.AsReadOnly(ShapeOutlines.Names);

    /// <summary>Writes <c>folder/class/0000.png</c> and so on, replacing what an earlier call wrote there.</summary>
    /// <param name="folder">A new folder, an empty one, or one that an earlier call wrote: its class folders are replaced.</param>
    /// <param name="options">What is drawn.</param>
    /// <param name="cancel">Stops between two pictures.</param>
    /// <param name="masks">A folder of the same kind for the objects' masks, white on black; null for none.</param>
    /// <returns>The paths of all pictures, class by class.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="IOException">A folder holds files that were not written by this method.</exception>
    public static IReadOnlyList<string> Generate(
        string folder, ShapeSceneOptions options, CancellationToken cancel = default, string? masks = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        PrepareFolder(folder);
        if (masks is not null) PrepareFolder(masks);
        var paths = new string[ClassNames.Count * options.ImagesPerClass];
        try
        {
            Parallel.For(0, paths.Length, new ParallelOptions { CancellationToken = cancel }, i =>
            {
                var (classIndex, index) = Math.DivRem(i, options.ImagesPerClass);
                string name = Path.Combine(ClassNames[classIndex], FormattableString.Invariant($"{index:0000}.png"));
                var scene = Render(classIndex, index, options);
                paths[i] = Path.Combine(folder, name);
                File.WriteAllBytes(paths[i], EncodePng(scene));
                if (masks is not null) File.WriteAllBytes(Path.Combine(masks, name), EncodeMask(scene));
            });
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);             // a full disk is one fault, however many threads met it
        }
        return paths;
    }

    /// <summary>Draws one scene in memory: the pixels that <see cref="Generate"/> writes for the same arguments.</summary>
    /// <param name="classIndex">The class, in [0, 9].</param>
    /// <param name="index">Which scene of that class, at least 0.</param>
    /// <param name="options">What is drawn; <see cref="ShapeSceneOptions.ImagesPerClass"/> plays no part.</param>
    /// <exception cref="ArgumentException">An option or argument is out of its range.</exception>
    public static ShapeScene Render(int classIndex, int index, ShapeSceneOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfNegative(classIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(classIndex, ClassNames.Count);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return ScenePainter.Paint(classIndex, new Random(SeedOf(options.Seed, classIndex, index)), options);
    }

    private static byte[] EncodePng(ShapeScene scene)
    {
        var info = new SKImageInfo(scene.Size, scene.Size, SKColorType.Rgba8888, SKAlphaType.Opaque);
        byte[] rgba = new byte[4 * scene.Size * scene.Size];
        for (int pixel = 0; pixel < scene.ObjectMask.Length; pixel++)
        {
            scene.Rgb.AsSpan(3 * pixel, 3).CopyTo(rgba.AsSpan(4 * pixel));
            rgba[4 * pixel + 3] = 255;
        }
        using var image = SKImage.FromPixelCopy(info, rgba);
        using var png = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        return png.ToArray();
    }

    private static byte[] EncodeMask(ShapeScene scene)
    {
        byte[] gray = [.. scene.ObjectMask.Select(inside => inside == 0 ? byte.MinValue : byte.MaxValue)];
        using var image = SKImage.FromPixelCopy(new(scene.Size, scene.Size, SKColorType.Gray8, SKAlphaType.Opaque), gray);
        using var png = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        return png.ToArray();
    }

    // A folder of the user's own photos must never lose a file to a generator.
    private static void PrepareFolder(string folder)
    {
        string marker = Path.Combine(folder, MarkerFile);
        if (Directory.Exists(folder) && !File.Exists(marker) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new IOException($"{folder} holds files that are not generated scenes; scenes are written to a new or an empty folder.");
        foreach (string name in ClassNames)
        {
            string classFolder = Path.Combine(folder, name);
            if (Directory.Exists(classFolder)) Directory.Delete(classFolder, recursive: true);
            Directory.CreateDirectory(classFolder);
        }
        File.WriteAllText(marker, "The pictures beside this file are generated and are replaced when scenes are generated again.\n");
    }

    // SplitMix64's finaliser: neighbouring indices give unrelated seeds.
    private static int SeedOf(int seed, int classIndex, int index)
    {
        ulong state = ((ulong)(uint)seed << 32) ^ (ulong)(uint)index * 0x9E3779B97F4A7C15 ^ ((ulong)classIndex << 56);
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
        return (int)((state ^ (state >> 31)) & int.MaxValue);
    }
}
