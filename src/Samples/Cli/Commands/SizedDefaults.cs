using System.Globalization;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary>
/// Defaults by the number of images and the device. The library's are the paper's, for a million images and days on several devices; few images
/// want fewer prototypes, a sharper teacher that follows sooner, and smaller batches, as those who trained on small sets report.
/// </summary>
internal static class SizedDefaults
{
    private const int Small = 20_000, ImagesPerPrototype = 4;

    /// <summary>The precision in which a device trains fastest.</summary>
    /// <exception cref="InvalidOperationException">The CUDA device asked for is not there.</exception>
    public static TrainingPrecision Precision(ComputeDevice device) => device.HasBFloat16 ? TrainingPrecision.BFloat16 : TrainingPrecision.Float32;

    /// <summary>Sets what the size of the data decides.</summary>
    /// <returns>What was chosen and why, in one line.</returns>
    public static string Apply(PretrainingOptions options, int images, bool hasCuda)
    {
        var encoder = hasCuda ? VitOptions.Small() : VitOptions.Tiny(patchSize: 8, imageSize: 64);
        string chosen = hasCuda ? "ViT-S/16 at 224 pixels: there is a CUDA device" : "ViT-Ti/8 at 64 pixels: there is no CUDA device";
        if (images < Small)
        {
            options.BatchSize = images < 5000 ? 64 : 128;
            options.Epochs = Math.Clamp(300_000 / Math.Max(1, images), 100, 400);
            chosen += string.Create(CultureInfo.InvariantCulture, $"; {images} images are few: batch {options.BatchSize}, {options.Epochs} epochs");
        }
        switch (options)
        {
            case DinoOptions dino:
                dino.Encoder = encoder;
                if (images >= Small) break;
                dino.Head.OutDim = Math.Clamp((int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(images / ImagesPerPrototype)), 128, 4096);
                (dino.Head.HiddenDim, dino.Head.BottleneckDim) = (512, 128);
                (dino.TeacherTemperature, dino.WarmupTeacherTemperatureEpochs, dino.TeacherMomentum) = (0.04, 0, 0.99);
                (dino.Views.LocalViews, dino.Views.LocalSize) = hasCuda ? (8, 96) : (2, 32);
                dino.MaskBias.InitialValue = 4;                // from 0 a short run leaves the masks all but unused (docs/study.md)
                chosen += $", {dino.Head.OutDim} prototypes, teacher temperature {dino.TeacherTemperature} and momentum {dino.TeacherMomentum}, α from 4";
                break;
            case MaeOptions mae:
                mae.Encoder = encoder;
                if (!hasCuda) (mae.Decoder.EmbedDim, mae.Decoder.Depth, mae.Decoder.Heads) = (96, 2, 3);
                break;
        }
        return chosen + ".";
    }
}
