using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Training.Output;
using Microsoft.Extensions.Logging;

namespace MaskBias.MLNet.Training;

/// <summary>What every method that learns from labelled images shares: its data, its length, its schedule.</summary>
public abstract class SupervisedOptions : IValidatableObject
{
    /// <summary>Column with the images: a path (text), encoded bytes (vector of bytes) or an image.</summary>
    /// <value>"ImagePath".</value>
    [Required]
    public string ImageColumnName { get; set; } = "ImagePath";

    /// <summary>Column with the classes: a key, as MapValueToKey makes it.</summary>
    /// <value>"Label".</value>
    [Required]
    public string LabelColumnName { get; set; } = "Label";

    /// <summary>Passes over the labelled images.</summary>
    /// <value>100.</value>
    [Range(1, 1_000_000)]
    public int Epochs { get; set; } = 100;

    /// <summary>Images per step of the optimizer; at most the number of labelled images.</summary>
    [Range(1, 1 << 20)]
    public int BatchSize { get; set; } = 256;

    /// <summary>Learning rate at the end of the cosine.</summary>
    [Range(0.0, 1000.0)]
    public double MinLearningRate { get; set; }

    /// <summary>Epochs over which the learning rate rises.</summary>
    [Range(0, int.MaxValue)]
    public int WarmupEpochs { get; set; }

    /// <summary>Weight decay.</summary>
    [Range(0.0, 10.0)]
    public double WeightDecay { get; set; }

    /// <summary>
    /// Share of each class' labelled rows that is held out of training to choose by: fine-tuning the best epoch, the linear probe the best of
    /// several learning rates and weight decays (of fewer than 4,000 rows, each in turn). A class of one row has none of them.
    /// </summary>
    /// <value>0: everything is learned from, and the last epoch is kept.</value>
    [Range(0.0, 0.9)]
    public double ValidationFraction { get; set; }

    /// <summary>How much the rows of each class weigh in the loss.</summary>
    /// <value><see cref="ClassWeighting.None"/>.</value>
    public ClassWeighting ClassWeighting { get; set; } = ClassWeighting.None;

    /// <summary>Seed of everything drawn at random; null for the MLContext's.</summary>
    /// <value>null.</value>
    public int? Seed { get; set; }

    /// <summary>What happens to rows whose image cannot be read.</summary>
    /// <value><see cref="UnreadableTrainingImage.Skip"/>: left out, counted and reported.</value>
    public UnreadableTrainingImage OnUnreadableImage { get; set; } = UnreadableTrainingImage.Skip;

    /// <summary>Megabytes of decoded images kept in memory; what does not fit is decoded again in every epoch.</summary>
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
    /// that of all of them together; each has its share of every batch.
    /// </summary>
    /// <value><see cref="DistributedTraining.None"/>.</value>
    [FreeOnResume]
    public DistributedTraining Distributed { get; set; } = DistributedTraining.None;

    /// <summary>
    /// Seconds that a process waits for the others before it gives the run up: more than the slowest of them takes longer for a step than the
    /// fastest.
    /// </summary>
    /// <value>40.</value>
    [Range(1, 86_400)]
    [FreeOnResume]
    public int DistributedTimeoutSeconds { get; set; } = 40;

    /// <summary>
    /// Receives the state of the run after every step, on the training thread; after an epoch's last step when the epoch is measured, with its
    /// metrics.
    /// </summary>
    /// <value>null.</value>
    [FreeOnResume]
    public IProgress<TrainingProgress>? Progress { get; set; }

    /// <summary>Receives what <c>MLContext.Log</c> receives: the resolved settings, a line per epoch, warnings.</summary>
    /// <value>null.</value>
    [FreeOnResume]
    public ILogger? Logger { get; set; }

    /// <summary>Stops the run before its next step.</summary>
    [FreeOnResume]
    public CancellationToken CancellationToken { get; set; }

    /// <inheritdoc/>
    public virtual IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => [];

    /// <summary>The same for what reads and cuts images.</summary>
    internal PretrainingOptions Loading(string? maskColumnName = null, MaskTokenOptions? masks = null) => new LoadingOptions
    {
        ImageColumnName = ImageColumnName, MaskColumnName = maskColumnName, Masks = masks ?? new(), OnUnreadableImage = OnUnreadableImage,
        ImageCacheMegabytes = ImageCacheMegabytes, LoaderThreads = LoaderThreads, CancellationToken = CancellationToken,
    };

    private sealed class LoadingOptions : PretrainingOptions;
}
