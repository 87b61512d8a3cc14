using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>
/// The sizes and hyper-parameters of a run, chosen so that it ends soon on two cores. The library's own defaults are the paper's, for
/// images of 224 pixels and days of training.
/// </summary>
internal sealed record Recipe
{
    /// <summary>How phase 1 learns.</summary>
    public PretrainingMethod Method { get; init; }

    /// <summary>Whether masks guide the attention of phase 1.</summary>
    public bool UsesMasks { get; init; } = true;

    /// <summary>The architecture of teacher and student.</summary>
    public required VitOptions Encoder { get; init; }

    /// <summary>The projection head: few images need few prototypes.</summary>
    public DinoHeadOptions Head { get; init; } = new() { OutDim = 128, HiddenDim = 128, BottleneckDim = 32 };

    /// <summary>MAE's decoder: as small as the encoder.</summary>
    public MaeDecoderOptions Decoder { get; init; } = new() { EmbedDim = 64, Depth = 2, Heads = 2 };

    /// <summary>The views of an image that are compared.</summary>
    public required MultiCropOptions Views { get; init; }

    /// <summary>Epochs of the mask-guided pretraining.</summary>
    public required int Epochs { get; init; }

    /// <summary>Epochs of the distillation.</summary>
    public required int DistillEpochs { get; init; }

    /// <summary>Images per step.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Base learning rate of both phases, for a batch of 256: a small encoder takes more than a large one.</summary>
    public double LearningRate { get; init; } = 4e-3;

    /// <summary>Weight decay at the end of both phases.</summary>
    public double FinalWeightDecay { get; init; } = 0.1;

    /// <summary>Temperature of the teacher's distribution throughout: softer ones let a short run fall to uniform distributions.</summary>
    public double TeacherTemperature { get; init; } = 0.04;

    /// <summary>Momentum of the teacher at the start: over a thousand steps, one of the paper's 0.996 would lag too far behind.</summary>
    public double TeacherMomentum { get; init; } = 0.99;

    /// <summary>Where α starts in DINO: from 0 so short a run leaves the masks all but unused (docs/study.md).</summary>
    public double BiasStart { get; init; } = 4;

    /// <summary>The recipe for the generated scenes: views recoloured strongly, since colour says nothing of their classes.</summary>
    public static Recipe ForScenes(PretrainingMethod method, bool isShort) => new()
    {
        Method = method,
        Encoder = new() { ImageSize = 32, PatchSize = 8, EmbedDim = 64, Depth = 3, Heads = 2 },
        Views = new()
        {
            LocalViews = 0, GlobalMinScale = 0.5, FlipProbability = 0, Hue = 0.5, Saturation = 0.4, Brightness = 0.2, Contrast = 0.2,
            GrayscaleProbability = 0.3, BlurProbability = 0, SolarizeProbability = 0,
        },
        Epochs = isShort ? 2 : method == PretrainingMethod.Mae ? 100 : 40,
        DistillEpochs = isShort ? 1 : 15,
    };

    /// <summary>The recipe for photos: more pixels than for scenes, and the more images there are, the fewer epochs.</summary>
    public static Recipe ForPhotos(PretrainingMethod method, int images, bool isShort)
    {
        // of images in phase 1, over all epochs: MAE has one view of each and hides most of it
        int visits = method == PretrainingMethod.Mae ? 150_000 : 60_000;
        int epochs = isShort ? 2 : Math.Clamp(visits / Math.Max(1, images), 4, 100);
        return new()
        {
            Method = method,
            Encoder = new() { ImageSize = 64, PatchSize = 8, EmbedDim = 96, Depth = 4, Heads = 3 },
            Views = new() { LocalViews = 0, GlobalMinScale = 0.3, BlurProbability = 0, SolarizeProbability = 0 },
            Epochs = epochs,
            DistillEpochs = Math.Max(1, epochs * 3 / 10),
        };
    }

    /// <summary>The method as people write it.</summary>
    public string MethodName => Method.ToString().ToUpperInvariant();

    public override string ToString() =>
        $"ViT {Encoder.EmbedDim} wide, {Encoder.Depth} deep, patches of {Encoder.PatchSize} in images of {Encoder.ImageSize} pixels; "
        + $"{Epochs} epochs of {MethodName}{(UsesMasks ? "" : " without masks")} and {DistillEpochs} of distillation, batch {BatchSize}";
}
