using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks.Sam.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>Segments what prompts point at in one image after another. An image is embedded once; prompts are then quick.</summary>
/// <example><code>
/// using var model = SamModel.Load("sam_vit_b_01ec64.pth");
/// using var predictor = new SamPredictor(model);
/// predictor.SetImage(image);
/// var answer = predictor.Predict(new() { Points = [new(320, 200)] });
/// MaskSet masks = answer.Masks;                          // three: whole, part, subpart
/// </code></example>
/// <remarks>Not thread-safe; predictors on several threads may share a model.</remarks>
public sealed class SamPredictor : IDisposable
{
    private const float MaskThreshold = 0;

    private readonly SamModel model;
    private readonly SamOptions options;
    private readonly Tensor imagePositions;         // [1, P, G, G]
    private ImageFrame? frame;
    private Tensor? embedding;                      // [1, P, G, G]

    /// <summary>Creates a predictor.</summary>
    /// <param name="model">The model, on any device. Stays the caller's.</param>
    public SamPredictor(SamModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        (this.model, options) = (model, model.Options);
        using var inference = no_grad();
        imagePositions = model.PromptEncoder.ImagePositions().DetachFromDisposeScope();
    }

    internal ImageFrame Frame => frame ?? throw new InvalidOperationException("There is no image yet: call SetImage first.");

    /// <summary>Embeds an image, of which <see cref="Predict"/> then segments parts.</summary>
    /// <exception cref="ArgumentException">The image is too large or too elongated.</exception>
    public void SetImage(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var next = new ImageFrame(image.Height, image.Width, options.ImageSize);
        Reset();
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        var resized = PillowResizer.Resize(image, next.ResizedHeight, next.ResizedWidth);
        embedding = model.Embed(model.Prepare(ToTensor(resized).to(model.Device))).DetachFromDisposeScope();
        frame = next;
    }

    /// <summary>Segments what a prompt points at.</summary>
    /// <param name="prompt">Points, a box or a mask.</param>
    /// <param name="multimask">
    /// Whether to give several masks (3: whole, part and subpart), the better answer to a single point; else one, the better answer to
    /// several points or a box.
    /// </param>
    /// <exception cref="InvalidOperationException">There is no image yet.</exception>
    /// <exception cref="ArgumentException">The prompt is empty, or its mask has another size.</exception>
    public SamPrediction Predict(SamPrompt prompt, bool multimask = true)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var current = Frame;
        if (prompt.Points.Count == 0 && prompt.Box is null && prompt.Mask is null)
            throw new ArgumentException("The prompt is empty: give points, a box or a mask.", nameof(prompt));
        int side = options.MaskSize;
        if (prompt.Mask is { } given && given.Length != side * side)
        {
            throw new ArgumentException(
                $"The prompt's mask has {given.Length} values; it must be {side}x{side}, as a prediction's logits.", nameof(prompt));
        }

        using var inference = no_grad();
        using var scope = NewDisposeScope();
        Tensor? points = null, labels = null, boxes = null, mask = null;
        if (prompt.Points.Count > 0)
        {
            points = Coordinates(prompt.Points.Select(p => (p.X, p.Y))).unsqueeze(0);
            int[] kinds = [.. prompt.Points.Select(p => p.IsForeground ? PromptEncoder.Foreground : PromptEncoder.Background)];
            labels = tensor(kinds, device: model.Device).unsqueeze(0);
        }
        if (prompt.Box is { } box) boxes = Coordinates([(box.Left, box.Top), (box.Right, box.Bottom)]).view(1, 4);
        if (prompt.Mask is not null) mask = tensor(prompt.Mask, device: model.Device).view(1, 1, side, side);

        var (logits, iou) = PredictLogits(points, labels, boxes, mask, multimask);
        var covered = (current.ToImage(logits) > Number(MaskThreshold)).to_type(ScalarType.Byte).cpu().contiguous();
        var small = logits[0].cpu();
        return new(
            MaskSet.FromBitmaps(current.Height, current.Width, covered.data<byte>().ToArray()), iou.cpu().data<float>().ToArray(),
            [.. Enumerable.Range(0, (int)small.shape[0]).Select(k => small[k].data<float>().ToArray())]);
    }

    /// <summary>
    /// Logits [B, C, 4G, 4G] and predicted IoU [B, C] for a batch of prompts in pixels of the resized image; the caller owns them.
    /// </summary>
    /// <param name="points">[B, M, 2], or null.</param>
    /// <param name="labels">[B, M], or null.</param>
    /// <param name="boxes">[B, 4], or null.</param>
    /// <param name="masks">[B, 1, 4G, 4G], or null.</param>
    /// <param name="multimask">Whether C is 1 or the model's number of masks for an ambiguous prompt.</param>
    internal (Tensor Logits, Tensor Iou) PredictLogits(Tensor? points, Tensor? labels, Tensor? boxes, Tensor? masks, bool multimask)
    {
        _ = Frame;
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        var sparse = points is null && boxes is null
            ? zeros(masks!.shape[0], 0, options.PromptDim, device: model.Device)
            : model.PromptEncoder.Sparse(points, labels, boxes);
        var (logits, iou) = model.MaskDecoder.Forward(embedding!, imagePositions, sparse, model.PromptEncoder.Dense(masks), multimask);
        return (logits.MoveToOuterDisposeScope(), iou.MoveToOuterDisposeScope());
    }

    /// <summary>Points of the image as [N, 2] in pixels of the resized one, on the model's device.</summary>
    internal Tensor Coordinates(IEnumerable<(double X, double Y)> points)
    {
        double[] values = [.. points.Select(p => Frame.ToModel(p.X, p.Y)).SelectMany(p => (double[])[p.X, p.Y])];
        return tensor(values, device: model.Device).view(-1, 2);
    }

    /// <summary>[1, 3, H, W] bytes of an image.</summary>
    internal static Tensor ToTensor(RgbImage image)
    {
        using var scope = NewDisposeScope();
        return tensor(image.Pixels).view(1, image.Height, image.Width, 3).permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    private void Reset()
    {
        embedding?.Dispose();
        (embedding, frame) = (null, null);
    }

    /// <summary>Frees the embedding; the model stays.</summary>
    public void Dispose()
    {
        Reset();
        imagePositions.Dispose();
    }
}
