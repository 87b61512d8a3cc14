using System.Globalization;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary>
/// Defaults by the number of images and the device: the library's presets for few images, or the paper's settings, which are for a million images and
/// days on several devices.
/// </summary>
/// <param name="images">How many there are to learn from.</param>
/// <param name="hasCuda">Whether there is a CUDA device.</param>
internal sealed class SizedDefaults(int images, bool hasCuda)
{
    /// <summary>Width up to which an encoder is small.</summary>
    public const int Narrow = 192;

    private const int Few = 20_000;

    private bool IsFew => images < Few;

    // One that has learned is not trained as long, and sees what the paper's would.
    private int EpochsAgain => Math.Clamp(300_000 / Math.Max(1, images), 100, 400);

    private VitOptions Encoder => hasCuda ? VitOptions.Small() : VitOptions.Tiny(patchSize: 8, imageSize: 64);

    /// <summary>The precision in which a device trains fastest.</summary>
    /// <exception cref="InvalidOperationException">The CUDA device asked for is not there.</exception>
    public static TrainingPrecision Precision(ComputeDevice device) => device.HasBFloat16 ? TrainingPrecision.BFloat16 : TrainingPrecision.Float32;

    /// <summary>Whether an encoder is small, as those that few images can teach.</summary>
    public static bool IsNarrow(VitOptions encoder) => encoder.EmbedDim <= Narrow;

    /// <summary>Settings of DINO.</summary>
    /// <param name="start">The encoder to go on from; null for random weights.</param>
    public DinoOptions Dino(VisionEncoder? start)
    {
        if (start is null) return IsFew ? DinoOptions.FewImages(images) : new() { Encoder = Encoder };
        var few = IsFew ? DinoOptions.FewImages(images) : null;
        var options = new DinoOptions { StartFrom = start, Encoder = start.Model.Options };
        options.MaskBias = options.Encoder.MaskBias ?? few?.MaskBias ?? options.MaskBias;
        options.Head = start.Head?.Options ?? few?.Head ?? options.Head;
        if (few is null) return options;
        (options.BatchSize, options.Epochs) = (few.BatchSize, EpochsAgain);
        (options.TeacherTemperature, options.WarmupTeacherTemperatureEpochs) = (few.TeacherTemperature, few.WarmupTeacherTemperatureEpochs);
        options.TeacherMomentum = few.TeacherMomentum;
        if (!hasCuda) options.Views.LocalViews = 2;
        return options;
    }

    /// <summary>Settings of MAE.</summary>
    /// <param name="start">The encoder to go on from; null for random weights.</param>
    public MaeOptions Mae(VisionEncoder? start)
    {
        var few = MaeOptions.FewImages(images);
        if (start is null && IsFew) return few;
        var options = new MaeOptions { StartFrom = start, Encoder = start?.Model.Options ?? Encoder };
        if (IsFew) (options.BatchSize, options.Epochs) = (few.BatchSize, EpochsAgain);
        if (IsFew || !hasCuda) (options.Decoder.EmbedDim, options.Decoder.Depth, options.Decoder.Heads) = (few.Decoder.EmbedDim, few.Decoder.Depth, few.Decoder.Heads);
        options.MaskBias = options.Encoder.MaskBias ?? options.MaskBias;
        options.Decoder = start?.Decoder?.Options ?? options.Decoder;
        return options;
    }

    /// <summary>Settings of a distillation.</summary>
    /// <param name="teacher">Whom the student learns from: a small one, of a pretraining on few images, or a large one, such as a public one.</param>
    public DistillationOptions Distillation(VisionEncoder teacher)
    {
        bool ofMae = teacher.Decoder is not null;
        if (IsFew && IsNarrow(teacher.Model.Options)) return DistillationOptions.FewImages(images, ofMae);
        var options = ofMae ? DistillationOptions.Mae() : new();
        if (images < 5000) options.BatchSize = DistillationOptions.FewImages(images).BatchSize;
        return options;
    }

    /// <summary>Sets the rate that few images and a small encoder want, whatever the batch; others keep the paper's.</summary>
    /// <param name="options">With everything else that was given.</param>
    /// <param name="encoder">The encoder that learns.</param>
    /// <param name="teacher">Whom it learns from in a distillation.</param>
    public void SetRate(PretrainingOptions options, VitOptions encoder, VisionEncoder? teacher = null)
    {
        if (!IsFew || (teacher is not null && !IsNarrow(teacher.Model.Options))) return;
        (PretrainingOptions few, PretrainingOptions paper) = options switch
        {
            DinoOptions => ((PretrainingOptions)DinoOptions.FewImages(images), (PretrainingOptions)new DinoOptions()),
            MaeOptions => (MaeOptions.FewImages(images), new MaeOptions()),
            // Without a head a student learns features, as MAE's do.
            _ when teacher!.Head is null => (DistillationOptions.FewImages(images, ofMae: true), DistillationOptions.Mae()),
            _ => (DistillationOptions.FewImages(images), new DistillationOptions()),
        };
        options.LearningRate = IsNarrow(encoder) ? few.LearningRate * few.BatchSize / options.BatchSize : paper.LearningRate;
    }

    /// <summary>What will be trained, in a line.</summary>
    /// <param name="options">As they are in force.</param>
    /// <param name="encoder">The encoder that learns.</param>
    public string Describe(PretrainingOptions options, VitOptions encoder)
    {
        string few = IsFew ? " are few" : "", finer = encoder.ImageSize < 64 && options is not DistillationOptions ? " (for finer detail --encoder-image-size 64)" : "";
        string line = string.Create(CultureInfo.InvariantCulture, $"{images} images{few}: an encoder {encoder.EmbedDim} wide and {encoder.Depth} deep that sees {encoder.ImageSize} pixels{finer}")
            + string.Create(CultureInfo.InvariantCulture, $", {options.Epochs} epochs in batches of {options.BatchSize}");
        if (options is DinoOptions dino)
        {
            line += string.Create(CultureInfo.InvariantCulture,
                $", {dino.Head.OutDim} prototypes, teacher temperature {dino.TeacherTemperature} and momentum {dino.TeacherMomentum}, {Views(dino.Views)}");
            if (options.MaskColumnName is not null) line += string.Create(CultureInfo.InvariantCulture, $", bias of masks from {dino.MaskBias.InitialValue}");
        }
        if (options is DistillationOptions distillation) line += ", " + Views(distillation.Views);
        return line + ".";
    }

    private static string Views(MultiCropOptions views) => string.Create(CultureInfo.InvariantCulture,
        $"{views.GlobalViews} views of {views.GlobalMinScale:0.##} of an image and more{(views.LocalViews > 0 ? $", {views.LocalViews} local ones" : "")}");
}
