using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Samples.Cli.Study.DryRuns;

/// <summary>What a training takes, by counting.</summary>
/// <param name="Images">Images in an epoch.</param>
/// <param name="Epochs">Epochs.</param>
/// <param name="Batch">Images in a step.</param>
/// <param name="Parameters">Weights that are trained, the bias aside.</param>
/// <param name="OperationsPerImage">Floating-point operations per image, of products of matrices alone.</param>
/// <param name="Gigabytes">Memory for weights, gradients, moments, the teacher, and what the backward pass keeps.</param>
internal sealed record TrainingCost(int Images, int Epochs, int Batch, long Parameters, double OperationsPerImage, double Gigabytes)
{
    private const int BackwardToo = 3;                  // the backward pass is two products for each of the forward pass
    private const double Giga = 1e9;

    // Bytes that a block keeps for each value of its input, and for each pair of tokens of a head, at two bytes a value
    // (Korthikanti et al., 2022).
    private const int KeptPerValue = 34, KeptPerPair = 5;

    private const int Copies = 4;                       // weights, gradients and AdamW's two moments

    /// <summary>Steps of the optimizer.</summary>
    public long Steps => (long)Epochs * (Images / Batch);

    /// <summary>All operations, in units of 10¹².</summary>
    public double TeraOperations => OperationsPerImage * Steps * Batch / 1e12;

    /// <summary>Counts what a pretraining takes.</summary>
    public static TrainingCost Of(PretrainingOptions options, int images, VitOptions encoder, VitOptions? teacher = null) => options switch
    {
        DinoOptions dino => OfViews(options, images, encoder, dino.Views, dino.Head, teacher: encoder),
        MaeOptions mae => OfMae(mae, images),
        _ => OfViews(options, images, encoder, ((DistillationOptions)options).Views, null, teacher ?? encoder),
    };

    /// <summary>Counts what training from labels takes.</summary>
    public static TrainingCost OfLabels(SupervisedOptions options, int images, VitOptions encoder)
    {
        int batch = Math.Min(options.BatchSize, images), tokens = Tokens(encoder, encoder.ImageSize);
        return new(images, options.Epochs, batch, Weights(encoder), BackwardToo * Forward(encoder, tokens),
            Memory(Weights(encoder), 0, batch * Kept(encoder, tokens), 4));
    }

    private static TrainingCost OfViews(PretrainingOptions options, int images, VitOptions encoder, MultiCropOptions views,
        DinoHeadOptions? head, VitOptions teacher)
    {
        int batch = Math.Min(options.BatchSize, images);
        int global = views.GlobalSize ?? encoder.ImageSize,
            local = views.LocalSize ?? Math.Max(1, (int)Math.Round(global * 3.0 / 7 / encoder.PatchSize)) * encoder.PatchSize;
        int large = Tokens(encoder, global), small = Tokens(encoder, local);
        double forward = views.GlobalViews * Forward(encoder, large) + views.LocalViews * Forward(encoder, small);
        double heads = head is null ? 0
            : 2.0 * HeadParameters(head, encoder) * (BackwardToo * (views.GlobalViews + views.LocalViews) + views.GlobalViews);
        double operations = BackwardToo * forward + views.GlobalViews * Forward(teacher, Tokens(teacher, global)) + heads;
        double kept = views.GlobalViews * Kept(encoder, large) + views.LocalViews * Kept(encoder, small);
        long parameters = Weights(encoder) + (head is null ? 0 : HeadParameters(head, encoder));
        return new(images, options.Epochs, batch, parameters, operations,
            Memory(parameters, parameters, kept * batch / options.AccumulationSteps, Bytes(options)));
    }

    private static TrainingCost OfMae(MaeOptions options, int images)
    {
        var encoder = options.Encoder;
        var decoder = new VitOptions
        {
            ImageSize = encoder.ImageSize, PatchSize = encoder.PatchSize, EmbedDim = options.Decoder.EmbedDim,
            Depth = options.Decoder.Depth, Heads = options.Decoder.Heads,
        };
        int all = Tokens(encoder, encoder.ImageSize), visible = 1 + (int)((all - 1) * (1 - options.MaskRatio)),
            batch = Math.Min(options.BatchSize, images);
        double operations = BackwardToo * (Forward(encoder, visible) + Forward(decoder, all));
        long parameters = Weights(encoder) + Weights(decoder);
        return new(images, options.Epochs, batch, parameters, operations,
            Memory(parameters, 0, (Kept(encoder, visible) + Kept(decoder, all)) * batch / options.AccumulationSteps, Bytes(options)));
    }

    private static int Tokens(VitOptions encoder, int size) => 1 + size / encoder.PatchSize * (size / encoder.PatchSize);

    // Products with weights, with the patches' pixels, and of the attention.
    private static double Forward(VitOptions encoder, int tokens)
    {
        double width = encoder.EmbedDim;
        return tokens * (encoder.Depth * (2 * width * width * (4 + 2 * encoder.MlpRatio) + 4.0 * tokens * width)
            + 6.0 * encoder.PatchSize * encoder.PatchSize * width);
    }

    private static double Kept(VitOptions encoder, int tokens) =>
        (double)encoder.Depth * tokens * (KeptPerValue * encoder.EmbedDim + KeptPerPair * (double)encoder.Heads * tokens);

    private static long Weights(VitOptions encoder) =>
        (long)(encoder.Depth * (double)encoder.EmbedDim * encoder.EmbedDim * (4 + 2 * encoder.MlpRatio))
        + 3L * encoder.PatchSize * encoder.PatchSize * encoder.EmbedDim + (long)Tokens(encoder, encoder.ImageSize) * encoder.EmbedDim;

    private static long HeadParameters(DinoHeadOptions head, VitOptions encoder) => (long)encoder.EmbedDim * head.HiddenDim
        + (long)Math.Max(0, head.Layers - 2) * head.HiddenDim * head.HiddenDim + (long)head.HiddenDim * head.BottleneckDim
            + (long)head.BottleneckDim * head.OutDim;

    private static double Memory(long trained, long teacher, double keptAtTwoBytes, int bytes) =>
        (4.0 * (Copies * trained + teacher) + keptAtTwoBytes * bytes / 2) / Giga;

    private static int Bytes(PretrainingOptions options) =>
        PlanOptions.Values(options).Any(o => o is { Name: "Precision", Value: "BFloat16" }) ? 2 : 4;
}
