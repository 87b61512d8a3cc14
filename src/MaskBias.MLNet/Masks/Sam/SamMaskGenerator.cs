using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks.Sam.Generation;
using MaskBias.MLNet.Masks.Sam.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>
/// Finds the masks of everything in an image: a grid of points prompts Segment Anything, and what it answers with confidence, stably and
/// only once is kept (Kirillov et al., ICCV 2023, appendix B).
/// </summary>
/// <remarks>Thread-safe. Masks are held as runs; bitmaps of a few at a time are all that is in memory.</remarks>
public sealed class SamMaskGenerator
{
    private const float MaskThreshold = 0;

    // What is held at a time: logits that are enlarged, 32 MB, and on the CPU the image tokens of prompts that are decoded, 16 MB. Larger
    // blocks are no faster there, since the system maps and clears them anew each time.
    private const long LogitsPerChunk = 1 << 23, TokensPerPass = 1 << 22;

    private readonly SamModel model;
    private readonly SamMaskGeneratorOptions options;

    /// <summary>Creates a generator; later changes of the options do not reach it.</summary>
    /// <param name="model">The model, on any device. Stays the caller's.</param>
    /// <param name="options">Grid, filters and crops; null for the published ones.</param>
    /// <exception cref="ArgumentException">Options are out of range; all of them are listed.</exception>
    public SamMaskGenerator(SamModel model, SamMaskGeneratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        this.model = model;
        this.options = OptionsValidator.Validate((options ?? new()).Copy());
    }

    /// <summary>Finds the masks of an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="progress">Told after every batch of prompts, on this thread.</param>
    /// <param name="cancellationToken">Looked at before every batch of prompts.</param>
    /// <exception cref="ArgumentException">The image is too large or too elongated.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public GeneratedMasks Generate(
        RgbImage image, IProgress<SamGenerationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        var crops = Crop.Layers(image.Height, image.Width, options.CropLayers, options.CropOverlapRatio);
        int total = crops.Sum(c => options.PointsPerSideOf(c.Layer) * options.PointsPerSideOf(c.Layer)), done = 0;
        var found = new List<MaskCandidate>();
        using (var predictor = new SamPredictor(model))
        {
            foreach (var crop in crops)
            {
                cancellationToken.ThrowIfCancellationRequested();
                predictor.SetImage(Cut(image, crop.Box));
                var inCrop = new List<MaskCandidate>();
                foreach (var points in Points(crop).Chunk(options.PointsPerBatch))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    foreach (var pass in points.Chunk(PromptsPerPass)) inCrop.AddRange(Answer(predictor, pass, crop, image));
                    progress?.Report(new(done += points.Length, total, found.Count + inCrop.Count));
                }
                found.AddRange(Suppress(inCrop, c => c.PredictedIou, options.BoxNmsThreshold));
            }
        }
        if (crops.Count > 1) found = Suppress(found, c => 1 / ((float)c.Crop.Width * c.Crop.Height), options.CropNmsThreshold);
        return Collect(options.MinMaskRegionArea > 0 ? Clean(found, cancellationToken) : found, image);
    }

    private IEnumerable<(double X, double Y)> Points(Crop crop) =>
        PointGrid.Create(options.PointsPerSideOf(crop.Layer)).Select(p => (p.X * crop.Box.Width, p.Y * crop.Box.Height));

    private int PromptsPerPass
    {
        get
        {
            if (model.Device.type != DeviceType.CPU) return options.PointsPerBatch;
            var sizes = model.Options;
            return (int)Math.Clamp(TokensPerPass / ((long)sizes.GridSize * sizes.GridSize * sizes.PromptDim), 1, options.PointsPerBatch);
        }
    }

    // The masks that some points give. Only those of a high predicted IoU are enlarged, a few at a time.
    private List<MaskCandidate> Answer(SamPredictor predictor, (double X, double Y)[] points, Crop crop, RgbImage image)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        var labels = full([points.Length, 1], Number(PromptEncoder.Foreground), dtype: ScalarType.Int32, device: model.Device);
        var (logits, iou) = predictor.PredictLogits(predictor.Coordinates(points).unsqueeze(1), labels, null, null, multimask: true);
        int perPoint = (int)logits.shape[1];
        var flat = logits.flatten(0, 1);                                                    // [B·C, 4G, 4G]
        float[] predicted = iou.cpu().contiguous().data<float>().ToArray();
        long[] chosen = [.. Enumerable.Range(0, predicted.Length).Where(i => Passes(predicted[i])).Select(i => (long)i)];

        var frame = predictor.Frame;
        long largest = Math.Max((long)frame.Height * frame.Width, (long)model.Options.ImageSize * model.Options.ImageSize);
        var candidates = new List<MaskCandidate>();
        foreach (long[] chunk in chosen.Chunk((int)Math.Max(1, LogitsPerChunk / largest)))
        {
            using var step = NewDisposeScope();
            var full = frame.ToImage(flat[tensor(chunk, device: flat.device)].unsqueeze(0)).squeeze(0);        // [n, H, W]
            float[] stability = StabilityScores(full, MaskThreshold, options.StabilityScoreOffset).cpu().data<float>().ToArray();
            var covered = (full > Number(MaskThreshold)).to_type(ScalarType.Byte).cpu();
            for (int i = 0; i < chunk.Length; i++)
            {
                if (options.StabilityScoreThreshold > 0 && !(stability[i] >= (float)options.StabilityScoreThreshold)) continue;
                var (mask, box) = MaskCandidate.Read(covered[i].bytes, crop.Box, image.Height, image.Width);
                if (crop.CutsOff(box, new(0, 0, image.Width, image.Height))) continue;
                var (x, y) = points[chunk[i] / perPoint];
                candidates.Add(new(mask, box, predicted[chunk[i]], stability[i], new(x + crop.Box.Left, y + crop.Box.Top), crop.Box));
            }
        }
        return candidates;
    }

    private bool Passes(float predictedIou) => options.PredictedIouThreshold <= 0 || predictedIou > (float)options.PredictedIouThreshold;

    /// <summary>IoU of the masks above threshold + offset and above threshold − offset: logits [n, H, W] -> [n].</summary>
    internal static Tensor StabilityScores(Tensor logits, double threshold, double offset)
    {
        using var scope = NewDisposeScope();
        var inner = (logits > Number(threshold + offset)).sum([-2, -1]).to_type(ScalarType.Float32);
        var outer = (logits > Number(threshold - offset)).sum([-2, -1]).to_type(ScalarType.Float32);
        return (inner / outer).MoveToOuterDisposeScope();
    }

    private static List<MaskCandidate> Suppress(List<MaskCandidate> masks, Func<MaskCandidate, float> score, double threshold) =>
        [.. BoxSuppression.Keep([.. masks.Select(m => m.FloatBox)], [.. masks.Select(score)], threshold).Select(i => masks[i])];

    // Of masks that are alike once cleaned, those that needed no cleaning stay.
    private List<MaskCandidate> Clean(List<MaskCandidate> masks, CancellationToken cancellationToken)
    {
        if (masks.Count == 0) return masks;
        int height = masks[0].Mask.Height, width = masks[0].Mask.Width;
        var changed = new HashSet<MaskCandidate>(ReferenceEqualityComparer.Instance);
        byte[] bitmap = new byte[height * width];
        var cleaned = new List<MaskCandidate>();
        foreach (var candidate in masks)
        {
            cancellationToken.ThrowIfCancellationRequested();
            candidate.Mask.CopyTo(0, bitmap);
            bool filled = SmallRegions.FillHoles(bitmap, height, width, options.MinMaskRegionArea);
            bool removed = SmallRegions.RemoveIslands(bitmap, height, width, options.MinMaskRegionArea);
            var result = candidate;
            if (filled || removed)
            {
                var (mask, box) = MaskCandidate.Read(bitmap, new(0, 0, width, height), height, width);
                changed.Add(result = candidate with { Mask = mask, Box = box });
            }
            cleaned.Add(result);
        }
        return Suppress(cleaned, c => changed.Contains(c) ? 0 : 1, Math.Max(options.BoxNmsThreshold, options.CropNmsThreshold));
    }

    private static GeneratedMasks Collect(List<MaskCandidate> masks, RgbImage image)
    {
        var builder = new RunBuilder(image.Height, image.Width);
        foreach (var candidate in masks)
        {
            int position = 0;
            bool covered = false;
            foreach (int run in candidate.Mask.Runs(0))
            {
                if (covered) builder.Cover(position, run);
                position += run;
                covered = !covered;
            }
            builder.EndMask();
        }
        return new(builder.Build(), [.. masks.Select(m => m.Record)]);
    }

    private static RgbImage Cut(RgbImage image, PixelBox box)
    {
        if (box.Width == image.Width && box.Height == image.Height) return image;
        byte[] pixels = new byte[box.Width * box.Height * 3];
        for (int y = 0; y < box.Height; y++)
            image.Pixels.AsSpan(((box.Top + y) * image.Width + box.Left) * 3, box.Width * 3).CopyTo(pixels.AsSpan(y * box.Width * 3));
        return new(box.Height, box.Width, pixels);
    }
}
