using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.Extensions;

/// <summary>How a saved model is served.</summary>
public sealed class MaskBiasEmbeddingOptions : IValidatableObject
{
    /// <summary>
    /// The model: an ML.NET model (<c>model.zip</c>) with one embedding step and, for classification, a classifier on its features; or an
    /// encoder that OnnxEncoder.Export wrote (<c>.onnx</c>).
    /// </summary>
    /// <value>None; required.</value>
    [Required]
    public string ModelPath { get; set; } = null!;

    /// <summary>Images computed together at most.</summary>
    /// <value>8.</value>
    [Range(1, 256)]
    public int MaxBatchSize { get; set; } = 8;

    /// <summary>How long the first image of a batch waits for others, while the model is idle.</summary>
    /// <value>2 ms.</value>
    public TimeSpan MaxBatchDelay { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>
    /// Images that may be held at once: being read, waiting or being computed; each takes 12·S² bytes once decoded, S the model's image side.
    /// A place is taken before a stream or a file is read.
    /// </summary>
    /// <value>128.</value>
    [Range(1, 65536)]
    public int QueueCapacity { get; set; } = 128;

    /// <summary>What a request meets when the queue is full.</summary>
    /// <value><see cref="QueueFullMode.Wait"/>.</value>
    public QueueFullMode WhenFull { get; set; } = QueueFullMode.Wait;

    /// <summary>Bytes that an encoded image may have; reading stops there.</summary>
    /// <value>20 MiB.</value>
    [Range(1, int.MaxValue - 64)]
    public int MaxImageBytes { get; set; } = 20 << 20;

    /// <summary>Pixels that an image may have; checked before it is decoded.</summary>
    /// <value>50 million.</value>
    [Range(1L, ImageDecoder.DefaultMaxPixels)]
    public long MaxImagePixels { get; set; } = 50_000_000;

    /// <summary>Images decoded at once: each holds 4 bytes per pixel meanwhile.</summary>
    /// <value>The number of processors.</value>
    [Range(1, 1024)]
    public int MaxConcurrentDecodes { get; set; } = Environment.ProcessorCount;

    /// <summary>Threads that compute a batch, or null for what ONNX Runtime chooses: the number of cores.</summary>
    /// <value>null.</value>
    [Range(1, 1024)]
    public int? ComputeThreads { get; set; }

    /// <summary>Whether the EXIF orientation of photos is honoured. ML.NET's own pipeline ignores it.</summary>
    /// <value>False: the same numbers as the saved model in ML.NET.</value>
    public bool ApplyOrientation { get; set; }

    /// <summary>How often the model file is looked at for a change; zero for never.</summary>
    /// <value>1 s.</value>
    public TimeSpan ReloadInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxBatchDelay < TimeSpan.Zero || MaxBatchDelay > TimeSpan.FromSeconds(1))
            yield return new($"MaxBatchDelay is {MaxBatchDelay}; it must lie in [00:00:00, 00:00:01].");
        if (ReloadInterval < TimeSpan.Zero || ReloadInterval > TimeSpan.FromDays(1))
            yield return new($"ReloadInterval is {ReloadInterval}; it must lie in [00:00:00, 1.00:00:00].");
    }
}
