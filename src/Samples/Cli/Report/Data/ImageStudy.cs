using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>Images as the encoders of a run see them.</summary>
/// <param name="Images">The images that can be read.</param>
/// <param name="Unreadable">How many of those looked at cannot.</param>
/// <param name="Encoder">The encoder to look at first; the study's own.</param>
/// <param name="Views">Similarities by the encoders' names: the first encoder's, the others', an untrained one's.</param>
internal sealed record ImageStudy(
    ImageSet Images, int Unreadable, VisionEncoder Encoder, IReadOnlyList<ImageView> Views) : IDisposable
{
    private const string Untrained = "untrained";

    /// <summary>Computes the features of images under every encoder.</summary>
    /// <exception cref="InvalidOperationException">No image can be read.</exception>
    public static ImageStudy Of(
        MLContext ml, ImageSet images, IReadOnlyList<(string Name, string Path)> encoders, int seed, IProgress<string> progress)
    {
        var encoder = EncoderCheckpoint.Load(encoders[0].Path);
        try
        {
            var features = EmbeddedImages.Embed(ml, encoder, images.Images, encoders[0].Name, progress);
            int[] readable = [.. Enumerable.Range(0, features.Length).Where(i => features[i] is not null)];
            if (readable.Length < 2)
            {
                throw new InvalidOperationException($"Of {features.Length} images {readable.Length} can be read and have finite features "
                    + $"under {encoders[0].Path}; a report needs at least 2.");
            }
            var kept = images with { Images = [.. readable.Select(i => images.Images[i])] };
            var views = new List<ImageView> { new(encoders[0].Name, [.. readable.Select(i => features[i]!)]) };
            foreach (var (name, path) in encoders.Skip(1))
            {
                using var other = EncoderCheckpoint.Load(path);
                Add(name, other);
            }
            using var untrained = new VisionEncoder(new VisionTransformer(encoder.Model.Options, seed), normalization: encoder.Normalization);
            Add(Untrained, untrained);
            return new(kept, features.Length - readable.Length, encoder, views);

            // Features that are not finite are the encoder's fault here: the images were read before.
            void Add(string name, VisionEncoder other)
            {
                var rows = EmbeddedImages.Embed(ml, other, kept.Images, name, progress);
                if (rows.All(row => row is not null)) views.Add(new(name, rows!));
                else progress.Report($"{name}: features that are not finite; left out");
            }
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <summary>The class of each image; −1 where it has none.</summary>
    public int[] Classes => [.. Images.Images.Select(image => image.Class)];

    public void Dispose() => Encoder.Dispose();
}
