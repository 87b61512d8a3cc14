using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Distillation;

/// <summary>
/// Settings of the distillation into a plain encoder (supplement, Eq. 4). The schedules default to those of DINO pretraining (Table 1).
/// </summary>
public sealed class DistillationOptions : PretrainingOptions
{
    /// <summary>Settings with Table 1's schedules.</summary>
    public DistillationOptions()
    {
        LearningRate = 2.5e-3;
        WarmupEpochs = 10;
        WeightDecay = 0.04;
        FinalWeightDecay = 0.4;
        ClipGradient = 3;
    }

    /// <summary>
    /// Table 2's schedules, for a teacher that MAE pretrained: batch 4096, base learning rate 1.5e-4, 40 warm-up epochs, weight decay 0.05,
    /// β 0.9 and 0.95, no clipping, crops of 0.2 to 1 of the area with their own colours.
    /// </summary>
    public static DistillationOptions Mae() => new()
    {
        BatchSize = 4096, LearningRate = 1.5e-4, MinLearningRate = 0, WarmupEpochs = 40, WarmupReachesPeak = false, WeightDecay = 0.05,
        FinalWeightDecay = 0.05, Beta2 = 0.95, ClipGradient = 0,
        Views = new()
        {
            LocalViews = 0, GlobalMinScale = 0.2, ColorJitterProbability = 0, GrayscaleProbability = 0, BlurProbability = 0,
            SolarizeProbability = 0,
        },
    };

    /// <summary>
    /// Settings for a small teacher that learned from some hundred to some thousand images: 65,000 images seen in 20 to 100 epochs of batches of 64,
    /// no drop path; after DINO its large crops and base learning rate 0.004, after MAE 0.002 (docs/study.md).
    /// </summary>
    /// <param name="images">How many there are.</param>
    /// <param name="ofMae">Whether MAE pretrained the teacher.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are none.</exception>
    public static DistillationOptions FewImages(int images, bool ofMae = false)
    {
        var options = ofMae ? Mae() : new() { FinalWeightDecay = 0.1, Views = Training.FewImages.Views };
        (options.BatchSize, options.Epochs) = (Training.FewImages.BatchSize, Training.FewImages.Epochs(images, Training.FewImages.ImagesDistilled, 20, 100));
        (options.LearningRate, options.WarmupEpochs, options.DropPath) = (ofMae ? 0.002 : 0.004, 1, 0);
        return options;
    }

    /// <summary>
    /// The student; null for the teacher's architecture. Its own drop path is replaced by <see cref="DropPath"/>, its mask bias left out. Where
    /// the teacher has no projection head (MAE), so that features are distilled, the student pools them as the teacher does.
    /// </summary>
    /// <value>null.</value>
    public VitOptions? Student { get; set; }

    /// <summary>How the student starts.</summary>
    /// <value><see cref="StudentInit.Auto"/>: from the teacher's weights where the sizes agree.</value>
    public StudentInit StudentInit { get; set; } = StudentInit.Auto;

    /// <summary>
    /// The views: the teacher sees the global ones with their masks, the student all of them without. Where features are distilled, the
    /// student sees the global ones only.
    /// </summary>
    /// <value>2 global and 8 local views.</value>
    [Required]
    public MultiCropOptions Views { get; set; } = new();

    /// <summary>Stochastic depth of the student's last block.</summary>
    /// <value>0.1.</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double DropPath { get; set; } = 0.1;

    /// <summary>Temperature τ of the student's distribution.</summary>
    /// <value>0.1.</value>
    [Range(0.0, 10.0, MinimumIsExclusive = true)]
    public double StudentTemperature { get; set; } = 0.1;

    /// <summary>Temperature of the teacher's distribution; Eq. 4 uses the same τ on both sides.</summary>
    /// <value>0.1 (RoB: 0.07).</value>
    [Range(0.0, 10.0, MinimumIsExclusive = true)]
    public double TeacherTemperature { get; set; } = 0.1;

    internal DistillationOptions Copy()
    {
        var copy = (DistillationOptions)MemberwiseClone();
        (copy.Student, copy.Views, copy.Masks, copy.Output) = (Student?.Copy(), Views.Copy(), Masks.Copy(), Output.Copy());
        copy.NearestNeighborMonitor = NearestNeighborMonitor?.Copy();
        return copy;
    }
}
