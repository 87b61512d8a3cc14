using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Cli.Study.Results;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Samples.Pictures;
using MaskBias.MLNet.Vit;
using TorchSharp;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>How much of the class token's attention falls on the object of an image, head by head, and pictures of it.</summary>
internal sealed class AttentionMeasure(StudyContext context)
{
    private const int Measured = 60, Shown = 4;

    /// <summary>Measures an encoder; null where the plan names no masks of objects.</summary>
    /// <param name="cell">Its cell.</param>
    /// <param name="seed">Its seed.</param>
    /// <param name="encoder">The encoder.</param>
    /// <param name="masks">The masks of the test images that guide it, or null.</param>
    /// <param name="counted">Which of them count.</param>
    public AttentionResult? Of(StudyCell cell, int seed, VisionEncoder encoder, byte[][]? masks, MaskTokenOptions counted)
    {
        if (context.Plan.Data.Objects is not { } source) return null;
        var test = context.Images.Test;
        byte[][] objects = context.Masks.Of(source, test, context.Cancellation);
        using var untrained = new VisionEncoder(Measurer.Untrained(encoder.Model.Options, cell, seed), normalization: encoder.Normalization);
        untrained.Model.to(StudyContext.Device);
        int taken = Math.Min(Measured, test.Count);
        var looks = new List<Look>();
        foreach (int i in Enumerable.Range(0, taken).Select(i => (2 * i + 1) * test.Count / (2 * taken)))
        {
            context.Cancellation.ThrowIfCancellationRequested();
            if (Look.At(test[i], objects[i], encoder, untrained, masks?[i], counted) is { } look) looks.Add(look);
        }
        if (looks.Count == 0) return null;
        if (seed == context.Plan.Seeds[0]) Draw(context.Folder.Picture("attention-" + cell.Slug), looks);
        return new(looks.Count, looks.Average(l => l.Area), Mean(looks, l => l.Inside(l.Untrained)), Mean(looks, l => l.Inside(l.Trained)),
            masks is null ? null : Mean(looks, l => l.Inside(l.Guided!)));
    }

    private static double[] Mean(List<Look> looks, Func<Look, double[]> inside)
    {
        double[][] all = [.. looks.Select(inside)];
        return [.. Enumerable.Range(0, all[0].Length).Select(head => Math.Round(all.Average(a => a[head]), 9))];
    }

    // A row per image: as it is, its object, and the mean attention of each encoder.
    private static void Draw(string path, List<Look> looks)
    {
        var shown = Enumerable.Range(0, Math.Min(Shown, looks.Count)).Select(i => looks[i * looks.Count / Math.Min(Shown, looks.Count)])
            .ToList();
        int scale = TileSheet.ScaleOf(shown[0].Trained.Seen);
        using var sheet = new TileSheet(shown.Count, looks[0].Guided is null ? 4 : 5);
        for (int row = 0; row < shown.Count; row++)
        {
            var look = shown[row];
            sheet.Draw(row, 0, MaskTile.Plain(look.Trained.Seen, scale));
            sheet.Draw(row, 1, MaskPictures.OverlayPng(look.Image, look.Object, TileSheet.ScaleOf(look.Image)));
            sheet.Draw(row, 2, look.Untrained.ToPng(scale: scale));
            sheet.Draw(row, 3, look.Trained.ToPng(scale: scale));
            if (look.Guided is { } guided) sheet.Draw(row, 4, guided.ToPng(scale: scale));
        }
        sheet.Write(path);
    }

    // An image with its object, and where the encoders look.
    private sealed record Look(RgbImage Image, MaskSet Object, float[] Cover, AttentionMap Untrained, AttentionMap Trained,
        AttentionMap? Guided)
    {
        private static readonly MaskTokenizer Whole = new(new() { MaxMasks = 1, MaxCoverage = 1, MinPatches = 0.5 });

        /// <summary>Share of the patches that the object covers.</summary>
        public double Area => Cover.Average();

        // Null where the image has no object, or one that is all of it.
        public static Look? At(Photo photo, byte[] objects, VisionEncoder encoder, VisionEncoder untrained, byte[]? masks,
            MaskTokenOptions counted)
        {
            if (objects.Length == 0) return null;
            var (found, image) = (MaskSet.Decode(objects), ImageDecoder.Decode(File.ReadAllBytes(photo.ImagePath), photo.ImagePath));
            var map = AttentionMap.Of(encoder, image);
            int grid = map.GridSize, size = grid * encoder.Model.Options.PatchSize;
            float[] cover = Whole.Compute(found, IsoCrop.Region(image.Width, image.Height, size), grid, grid, out int kept);
            if (kept == 0 || cover.Average() > 0.95) return null;
            var guided = masks is null ? null : AttentionMap.Of(encoder, image, masks.Length == 0 ? null : MaskSet.Decode(masks), counted);
            return new(image, found, cover, AttentionMap.Of(untrained, image), map, guided);
        }

        // Of what the patches get, which is less than 1: the class token looks at itself, too.
        public double[] Inside(AttentionMap map) =>
            [.. map.Heads.Select(head => head.Zip(Cover, (a, c) => (double)a * c).Sum() / Math.Max(1e-12, head.Sum(a => (double)a)))];
    }
}
