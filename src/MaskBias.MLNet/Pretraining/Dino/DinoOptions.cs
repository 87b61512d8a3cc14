using System.ComponentModel.DataAnnotations;
using System.Numerics;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Pretraining.Dino;

/// <summary>
/// Settings of DINO pretraining, plain or guided by masks. Defaults are the paper's (supplement, Table 1), and the DINO reference's where
/// the table prints none.
/// </summary>
public sealed class DinoOptions : PretrainingOptions
{
    /// <summary>Settings with Table 1's values: batch 512, base learning rate 2.5e-3, 10 warm-up epochs, weight decay 0.04 to 0.4, clip 3.</summary>
    public DinoOptions()
    {
        LearningRate = 2.5e-3;
        WarmupEpochs = 10;
        WeightDecay = 0.04;
        FinalWeightDecay = 0.4;
        ClipGradient = 3;
    }

    /// <summary>
    /// Settings for some hundred to some thousand images and an encoder that starts from random weights, on a processor or a device: 96 wide and
    /// 3 deep, patches of 8 at 32 pixels, 1.3 million images seen in 100 to 400 epochs of batches of 64, base learning rate 0.004, two large
    /// crops without local views or blur, few prototypes, a sharp teacher that follows soon, a bias of masks that starts at 4. Found on 3,261
    /// photographs (docs/study.md); for finer detail raise <see cref="VitOptions.ImageSize"/>.
    /// </summary>
    /// <param name="images">How many there are.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are none.</exception>
    public static DinoOptions FewImages(int images) => new()
    {
        Encoder = Training.FewImages.Encoder, Views = Training.FewImages.Views, BatchSize = Training.FewImages.BatchSize,
        Epochs = Training.FewImages.Epochs(images, Training.FewImages.ImagesSeen, 100, 400), LearningRate = 0.004, FinalWeightDecay = 0.1, WarmupEpochs = 5,
        Head = new() { OutDim = Prototypes(images), HiddenDim = 256, BottleneckDim = 64 }, TeacherTemperature = 0.04,
        WarmupTeacherTemperatureEpochs = 0, TeacherMomentum = 0.99,
        MaskBias = new() { InitialValue = 4 },                 // from 0 a short run leaves the masks all but unused
    };

    /// <summary>The encoder. Its own drop path and mask bias are replaced by <see cref="DropPath"/> and <see cref="MaskBias"/>.</summary>
    /// <value>ViT-S/16 at 224 pixels.</value>
    [Required]
    public VitOptions Encoder { get; set; } = VitOptions.Small();

    /// <summary>
    /// An encoder to go on from, such as a public one (<see cref="Weights.EncoderCheckpoint.Load"/>); <see cref="Encoder"/> may differ from its
    /// architecture in the sizes of images and patches alone. Its head is taken too where it is of the same sizes. It stays as it is.
    /// Heads whose α and β are shared from now on start with the mean of theirs.
    /// </summary>
    /// <value>null: training starts anew.</value>
    public VisionEncoder? StartFrom { get; set; }

    /// <summary>The mask-guided attention bias, used when <see cref="PretrainingOptions.MaskColumnName"/> is set.</summary>
    /// <value>Positive relations, soft, per layer and head, from 0.</value>
    [Required]
    public MaskBiasOptions MaskBias { get; set; } = new();

    /// <summary>The projection head.</summary>
    /// <value>65536 prototypes.</value>
    [Required]
    public DinoHeadOptions Head { get; set; } = new();

    /// <summary>The views that are compared.</summary>
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

    /// <summary>Temperature τ' of the teacher's distribution at the start.</summary>
    /// <value>0.04 (Table 1).</value>
    [Range(0.0, 10.0, MinimumIsExclusive = true)]
    public double WarmupTeacherTemperature { get; set; } = 0.04;

    /// <summary>Temperature τ' of the teacher's distribution after its warm-up.</summary>
    /// <value>0.07 (Table 1).</value>
    [Range(0.0, 10.0, MinimumIsExclusive = true)]
    public double TeacherTemperature { get; set; } = 0.07;

    /// <summary>Epochs over which the teacher temperature rises; at most 30% of a short run.</summary>
    /// <value>30.</value>
    [Range(0, int.MaxValue)]
    public int WarmupTeacherTemperatureEpochs { get; set; } = 30;

    /// <summary>Momentum of the teacher's moving average at the start; it rises to 1 along a cosine.</summary>
    /// <value>0.996 (Table 1).</value>
    [Range(0.0, 1.0)]
    public double TeacherMomentum { get; set; } = 0.996;

    /// <summary>Momentum of the centre o.</summary>
    /// <value>0.9.</value>
    [Range(0.0, 1.0)]
    public double CenterMomentum { get; set; } = 0.9;

    /// <summary>Epochs during which the prototypes are not trained.</summary>
    /// <value>1.</value>
    [Range(0, int.MaxValue)]
    public int FreezeLastLayerEpochs { get; set; } = 1;

    /// <summary>
    /// Epochs during which α and β of the bias are not trained; at most a third of a short run, or <see cref="int.MaxValue"/> for all of it.
    /// </summary>
    /// <value>100 (Table 1).</value>
    [Range(0, int.MaxValue)]
    public int FreezeBiasEpochs { get; set; } = 100;

    /// <summary>As many prototypes as few images fill: one for eight, a power of two.</summary>
    internal static int Prototypes(int images) => Math.Clamp((int)BitOperations.RoundUpToPowerOf2((uint)(images / 8)), 128, 4096);

    internal DinoOptions Copy()
    {
        var copy = (DinoOptions)MemberwiseClone();
        (copy.Encoder, copy.MaskBias, copy.Head) = (Encoder.Copy(), MaskBias.Copy(), Head.Copy());
        (copy.Views, copy.Masks, copy.Output) = (Views.Copy(), Masks.Copy(), Output.Copy());
        copy.NearestNeighborMonitor = NearestNeighborMonitor?.Copy();
        return copy;
    }
}
