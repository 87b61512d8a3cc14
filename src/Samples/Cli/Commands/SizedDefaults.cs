using System.Globalization;
using System.Numerics;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary>
/// Defaults by the number of images and the device. The library's are the paper's, for a million images and days on several devices. A few
/// thousand teach a small encoder more when it sees each of them some hundred times, as thumbnails and in views that are not too hard: what
/// docs/study.md found on the plain encoder.
/// </summary>
internal static class SizedDefaults
{
    private const int Few = 20_000, FewBatch = 64, ImagesPerPrototype = 8;
    private const int ImagesSeen = 1_300_000, ImagesSeenAgain = 300_000, ImagesDistilled = 65_000;

    /// <summary>The precision in which a device trains fastest.</summary>
    /// <exception cref="InvalidOperationException">The CUDA device asked for is not there.</exception>
    public static TrainingPrecision Precision(ComputeDevice device) => device.HasBFloat16 ? TrainingPrecision.BFloat16 : TrainingPrecision.Float32;

    /// <summary>Sets what the size of the data decides for a pretraining.</summary>
    /// <param name="options">To set.</param>
    /// <param name="images">How many there are to learn from.</param>
    /// <param name="hasCuda">Whether there is a CUDA device.</param>
    /// <param name="startsAnew">Whether the encoder starts from random weights; one that has learned keeps its architecture and the paper's rate.</param>
    /// <returns>What was chosen and why, in one line.</returns>
    public static string Apply(PretrainingOptions options, int images, bool hasCuda, bool startsAnew = true)
    {
        bool isFew = images < Few;
        string chosen = !startsAnew ? "the checkpoint's encoder" : SetEncoder(options, Encoder());
        if (isFew)
        {
            options.BatchSize = FewBatch;
            options.Epochs = Epochs(startsAnew ? ImagesSeen : ImagesSeenAgain, images, 100, 400);
            if (startsAnew) options.LearningRate = options is DinoOptions ? 0.004 : 0.002;
            chosen += string.Create(CultureInfo.InvariantCulture, $"; {images} images are few: batch {options.BatchSize}, {options.Epochs} epochs");
            if (options is DinoOptions dino) chosen += SetFew(dino, images);
        }
        if (options is MaeOptions mae && startsAnew && (isFew || !hasCuda))
        {
            (mae.Decoder.EmbedDim, mae.Decoder.Depth, mae.Decoder.Heads) = (96, 2, 3);
            mae.Decoder.NormalizePixels |= isFew;
        }
        return chosen + ".";

        (VitOptions, string) Encoder() => (isFew, hasCuda) switch
        {
            (true, _) => (new() { EmbedDim = 96, Depth = 3, Heads = 3, PatchSize = 8, ImageSize = 32 }, "an encoder 96 wide and 3 deep that sees 32 pixels"),
            (_, true) => (VitOptions.Small(), "ViT-S/16 at 224 pixels: there is a CUDA device"),
            _ => (VitOptions.Tiny(patchSize: 8, imageSize: 64), "ViT-Ti/8 at 64 pixels: there is no CUDA device"),
        };
    }

    /// <summary>Sets what the size of the data decides for a distillation.</summary>
    /// <param name="options">To set.</param>
    /// <param name="images">How many there are to learn from.</param>
    /// <param name="ofMae">Whether MAE pretrained the teacher, which has views of its own.</param>
    /// <returns>What was chosen and why, in one line; null where nothing was.</returns>
    public static string? Apply(DistillationOptions options, int images, bool ofMae)
    {
        if (images >= Few) return null;
        (options.BatchSize, options.Epochs, options.WarmupEpochs) = (FewBatch, Epochs(ImagesDistilled, images, 20, 100), 1);
        (options.LearningRate, options.DropPath) = (ofMae ? 0.002 : 0.004, 0);
        if (!ofMae)
        {
            options.FinalWeightDecay = 0.1;
            MakeEasy(options.Views);
        }
        return string.Create(CultureInfo.InvariantCulture,
            $"{images} images are few: batch {options.BatchSize}, {options.Epochs} epochs{(ofMae ? "" : $", {EasyViews}")}.");
    }

    private const string EasyViews = "views of seven tenths of an image and more";

    private static string SetEncoder(PretrainingOptions options, (VitOptions Encoder, string Chosen) choice)
    {
        if (options is DinoOptions dino) dino.Encoder = choice.Encoder;
        if (options is MaeOptions mae) mae.Encoder = choice.Encoder;
        return choice.Chosen;
    }

    private static string SetFew(DinoOptions dino, int images)
    {
        dino.Head.OutDim = Math.Clamp((int)BitOperations.RoundUpToPowerOf2((uint)(images / ImagesPerPrototype)), 128, 4096);
        (dino.Head.HiddenDim, dino.Head.BottleneckDim) = (256, 64);
        (dino.TeacherTemperature, dino.WarmupTeacherTemperatureEpochs, dino.TeacherMomentum) = (0.04, 0, 0.99);
        (dino.FinalWeightDecay, dino.WarmupEpochs) = (0.1, 5);
        dino.MaskBias.InitialValue = 4;                        // from 0 a short run leaves the masks all but unused
        MakeEasy(dino.Views);
        return $", {dino.Head.OutDim} prototypes, teacher temperature {dino.TeacherTemperature} and momentum {dino.TeacherMomentum}, α from 4, {EasyViews}";
    }

    private static void MakeEasy(MultiCropOptions views) =>
        (views.LocalViews, views.GlobalMinScale, views.BlurProbability, views.SolarizeProbability) = (0, 0.7, 0, 0);

    private static int Epochs(int imagesSeen, int images, int least, int most) => Math.Clamp(imagesSeen / Math.Max(1, images), least, most);
}
