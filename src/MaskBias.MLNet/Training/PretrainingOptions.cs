using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Training.Monitoring;
using MaskBias.MLNet.Training.Output;
using Microsoft.Extensions.Logging;

namespace MaskBias.MLNet.Training;

/// <summary>What every method that learns an encoder without labels shares: its data, its length, its schedules.</summary>
public abstract class PretrainingOptions : IValidatableObject
{
    /// <summary>Column with the images: a path (text), encoded bytes (vector of bytes) or an image.</summary>
    /// <value>"ImagePath".</value>
    [Required]
    public string ImageColumnName { get; set; } = "ImagePath";

    /// <summary>Column with the encoded masks (vector of bytes), or null to learn without masks.</summary>
    /// <value>null.</value>
    public string? MaskColumnName { get; set; }

    /// <summary>Which masks of a view count.</summary>
    [Required]
    public MaskTokenOptions Masks { get; set; } = new();

    /// <summary>Passes over the images. The paper states no number.</summary>
    /// <value>100.</value>
    [Range(1, 1_000_000)]
    public int Epochs { get; set; } = 100;

    /// <summary>Images per step of the optimizer; at most the number of images.</summary>
    [Range(1, 1 << 20)]
    public int BatchSize { get; set; } = 512;

    /// <summary>
    /// Parts that a batch is computed in, one after the other: memory is needed for one part, and the step is that of the whole batch. Must
    /// divide <see cref="BatchSize"/>. Only what is drawn at random for stochastic depth, and a head's batch normalisation, differ.
    /// </summary>
    /// <value>1: the whole batch at once.</value>
    [Range(1, 1 << 20)]
    public int AccumulationSteps { get; set; } = 1;

    /// <summary>
    /// Keeps of each block that is trained only what goes in, and computes the rest again for the gradients: much less memory for about a
    /// third more time. The gradients are the same, but for rounding (Chen et al., 2016, "Training deep nets with sublinear memory cost").
    /// </summary>
    /// <value>false.</value>
    [FreeOnResume]
    public bool RecomputeBlocks { get; set; }

    /// <summary>Base learning rate: the rate in force is this × batch / 256.</summary>
    [Range(0.0, 1000.0, MinimumIsExclusive = true)]
    public double LearningRate { get; set; }

    /// <summary>Learning rate at the end of the cosine.</summary>
    [Range(0.0, 1000.0)]
    public double MinLearningRate { get; set; } = 1e-6;

    /// <summary>Epochs over which the learning rate rises; at most a tenth of a short run.</summary>
    [Range(0, int.MaxValue)]
    public int WarmupEpochs { get; set; }

    /// <summary>Weight decay at the start.</summary>
    [Range(0.0, 10.0)]
    public double WeightDecay { get; set; }

    /// <summary>Weight decay at the end, reached along a cosine.</summary>
    [Range(0.0, 10.0)]
    public double FinalWeightDecay { get; set; }

    /// <summary>AdamW's β₁: decay of the mean of the gradients.</summary>
    /// <value>0.9.</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta1 { get; set; } = 0.9;

    /// <summary>AdamW's β₂: decay of the mean of the squared gradients.</summary>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta2 { get; set; } = 0.999;

    /// <summary>Largest gradient norm of one parameter tensor; 0 for no clipping.</summary>
    [Range(0.0, double.MaxValue)]
    public double ClipGradient { get; set; }

    /// <summary>Seed of everything drawn at random; null for the MLContext's.</summary>
    /// <value>null.</value>
    public int? Seed { get; set; }

    /// <summary>Where to compute.</summary>
    /// <value><see cref="ComputeDevice.Auto"/>.</value>
    [Required]
    [FreeOnResume]
    public ComputeDevice Device { get; set; } = ComputeDevice.Auto;

    /// <summary>In what precision the large matrix products are computed.</summary>
    /// <value><see cref="TrainingPrecision.Float32"/>.</value>
    public TrainingPrecision Precision { get; set; } = TrainingPrecision.Float32;

    /// <summary>What happens to rows whose image cannot be read.</summary>
    /// <value><see cref="UnreadableTrainingImage.Skip"/>: left out, counted and reported.</value>
    public UnreadableTrainingImage OnUnreadableImage { get; set; } = UnreadableTrainingImage.Skip;

    /// <summary>
    /// Megabytes of decoded images kept in memory. What does not fit is decoded again in every epoch, or, where it came decoded, kept in a
    /// temporary file.
    /// </summary>
    /// <value>512.</value>
    [Range(0, 1 << 20)]
    [FreeOnResume]
    public int ImageCacheMegabytes { get; set; } = 512;

    /// <summary>Threads that decode and cut images ahead of the training thread.</summary>
    /// <value>Half of the processors, at least 1.</value>
    [Range(1, 1024)]
    [FreeOnResume]
    public int LoaderThreads { get; set; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>
    /// How the run is spread over processes, which <c>mpirun</c> or <c>srun</c> starts, each with the same options. <see cref="BatchSize"/> stays
    /// that of all of them together, so that the run does not depend on their number; each has its share of every batch.
    /// </summary>
    /// <value><see cref="DistributedTraining.None"/>.</value>
    [FreeOnResume]
    public DistributedTraining Distributed { get; set; } = DistributedTraining.None;

    /// <summary>
    /// Seconds that a process waits for the others before it gives the run up: more than the slowest of them takes longer for a step than the
    /// fastest. Checkpoints are not counted.
    /// </summary>
    /// <value>40.</value>
    [Range(1, 86_400)]
    [FreeOnResume]
    public int DistributedTimeoutSeconds { get; set; } = 40;

    /// <summary>What the run keeps on disk: checkpoints to resume from, metrics, its configuration.</summary>
    /// <value>Nothing, until a folder is named.</value>
    [Required]
    [FreeOnResume]
    public RunOutputOptions Output { get; set; } = new();

    /// <summary>
    /// Measures the encoder every so many epochs by nearest neighbours, where the data has classes: <c>"k-NN accuracy"</c> in
    /// <see cref="TrainingProgress.Metrics"/>, in the metrics on disk and in the log.
    /// </summary>
    /// <value>null: nothing is measured.</value>
    [FreeOnResume]
    public NearestNeighborMonitorOptions? NearestNeighborMonitor { get; set; }

    /// <summary>Receives the state of the run after every step, on the training thread.</summary>
    /// <value>null.</value>
    [FreeOnResume]
    public IProgress<TrainingProgress>? Progress { get; set; }

    /// <summary>Receives what <c>MLContext.Log</c> receives: the resolved settings, a line per epoch, warnings.</summary>
    /// <value>null.</value>
    [FreeOnResume]
    public ILogger? Logger { get; set; }

    /// <summary>Stops the run before its next step; with an output folder it leaves a checkpoint to resume from.</summary>
    [FreeOnResume]
    public CancellationToken CancellationToken { get; set; }

    /// <summary>Whether the learning rate's warm-up ends with the full rate (DINO) or just below it (MAE).</summary>
    internal bool WarmupReachesPeak { get; set; } = true;

    /// <inheritdoc/>
    public virtual IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (AccumulationSteps > 0 && BatchSize % AccumulationSteps != 0)
            yield return new($"BatchSize is {BatchSize}; it must be a multiple of AccumulationSteps {AccumulationSteps}.");
        if (NearestNeighborMonitor is { UseMasks: true } && MaskColumnName is null)
            yield return new("NearestNeighborMonitor.UseMasks is true and MaskColumnName is null; name the column of masks, or measure without them.");
    }
}
