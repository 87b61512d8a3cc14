using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Samples.Common.Terminal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace MaskBias.MLNet.Samples.Cli.Inputs;

/// <summary>A classifier that a command has written, as it is used.</summary>
internal sealed class SavedClassifier : IDisposable
{
    private const int Part = 256, AtOnce = 32;                     // images whose results are held together, that are read at once

    private readonly ServiceProvider services;
    private readonly IImageClassifier classifier;

    /// <param name="model">The ML.NET model.</param>
    /// <param name="upright">Whether photos are seen as their EXIF orientation says.</param>
    /// <exception cref="UsageException">The file is of another kind.</exception>
    public SavedClassifier(string model, bool upright)
    {
        services = new ServiceCollection().AddMaskBiasEmbeddings(o =>
        {
            (o.ModelPath, o.ReloadInterval, o.ApplyOrientation) = (model, TimeSpan.Zero, upright);
            (o.MaxImageBytes, o.MaxImagePixels) = (1 << 30, ImageDecoder.DefaultMaxPixels);        // files of one's own, as in training
        }).BuildServiceProvider();
        try
        {
            classifier = services.GetRequiredService<IImageClassifier>();
            if (classifier.Classes.Count == 0)
                throw new UsageException($"model is '{model}', which has no classifier: probe, finetune, semi and experiment make models that have one.");
        }
        catch (OptionsValidationException e)
        {
            services.Dispose();
            throw new UsageException(string.Join(" ", e.Failures));
        }
        catch
        {
            services.Dispose();
            throw;
        }
    }

    /// <summary>The class names.</summary>
    public IReadOnlyList<string> Classes => classifier.Classes;

    /// <summary>What it says of each image, in their order; an image that cannot be read has a fault.</summary>
    public IEnumerable<(ImageClass? Class, string? Fault)> Classify(IEnumerable<string> images, CancellationToken cancellation)
    {
        foreach (string[] part in images.Chunk(Part))
        {
            foreach (var found in ClassifyAsync(part, cancellation).GetAwaiter().GetResult()) yield return found;
        }
    }

    /// <summary>How often it is right; the session is told how far it is.</summary>
    public Accuracy Measure(IReadOnlyList<Photo> photos, int top, Session session, CancellationToken cancellation)
    {
        if (photos.Count > 0) session.Note("Measuring the saved model on the images held out");
        var progress = new CountLines(session.Console, photos.Count, TimeProvider.System);
        var ranks = new List<(string Label, int Rank)>();
        int unreadable = 0, position = 0;
        foreach (var (found, _) in Classify(photos.Select(p => p.ImagePath), cancellation))
        {
            string label = photos[position++].Label;
            if (found is null) unreadable++;
            else ranks.Add((label, RankOf(label, found)));
            progress.Report(position);
        }
        if (ranks.Count == 0) return new(0, unreadable, null, null, null);
        return new(ranks.Count, unreadable, ranks.Average(Right), ranks.GroupBy(r => r.Label).Average(g => g.Average(Right)),
            ranks.Average(r => r.Rank < top ? 1.0 : 0));

        static double Right((string Label, int Rank) row) => row.Rank == 0 ? 1 : 0;
    }

    public void Dispose() => services.Dispose();

    // How many classes are more probable; of equally probable ones the first counts as more so, as where one is predicted.
    private static int RankOf(string label, ImageClass found)
    {
        var classes = found.Probabilities;
        int own = classes.ToList().FindIndex(c => c.Key == label);
        return own < 0 || float.IsNaN(classes[own].Value) ? int.MaxValue
            : Enumerable.Range(0, classes.Count).Count(i => classes[i].Value > classes[own].Value || (classes[i].Value == classes[own].Value && i < own));
    }

    private async Task<(ImageClass? Class, string? Fault)[]> ClassifyAsync(string[] images, CancellationToken cancellation)
    {
        var found = new (ImageClass? Class, string? Fault)[images.Length];
        await Parallel.ForAsync(0, images.Length, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (i, cancel) =>
        {
            try
            {
                found[i].Class = await classifier.ClassifyAsync(ImageInput.FromFile(images[i]), cancel).ConfigureAwait(false);
            }
            catch (ImageReadException e)
            {
                found[i].Fault = e.Message;
            }
        }).ConfigureAwait(false);
        return found;
    }

    /// <summary>How often a classifier is right, as shares of 1; null where there was no image.</summary>
    /// <param name="Images">Images that could be read.</param>
    /// <param name="Unreadable">Images that could not.</param>
    /// <param name="OfImages">Of the images.</param>
    /// <param name="OfClasses">The mean of the classes' own.</param>
    /// <param name="Top">How often the class is among the most probable ones.</param>
    public sealed record Accuracy(int Images, int Unreadable, double? OfImages, double? OfClasses, double? Top);
}
