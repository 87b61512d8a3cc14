using MaskBias.MLNet.Samples.Quickstart.Photos;
using MaskBias.MLNet.Training;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>
/// The whole job, as a user of the library writes it: photos, masks, mask-guided DINO, distillation, an ordinary ML.NET pipeline.
/// </summary>
internal sealed class Job(QuickstartArguments arguments, PhotoSet photos, CancellationToken cancel) : IDisposable
{
    private readonly MLContext ml = new(arguments.Seed);

    /// <summary>A row per encoder, once evaluated; empty without labels.</summary>
    public IReadOnlyList<EncoderScore> Scores { get; private set; } = [];

    /// <summary>Smallest and largest α over layers and heads, once pretrained.</summary>
    public (double Smallest, double Largest)? Alpha { get; private set; }

    /// <summary>What was written, once saved.</summary>
    public IReadOnlyList<(string Path, string Content)> Files { get; private set; } = [];

    /// <summary>Finds the masks of all images.</summary>
    public void Segment() => throw new NotImplementedException();

    /// <summary>Phase 1: DINO with the mask-guided attention bias.</summary>
    public void Pretrain(IProgress<TrainingProgress> progress) => throw new NotImplementedException();

    /// <summary>Phase 2: a plain student that needs no masks.</summary>
    public void Distill(IProgress<TrainingProgress> progress) => throw new NotImplementedException();

    /// <summary>Measures the random encoder, the phase-1 encoder without and with masks, and the student.</summary>
    public void Evaluate() => throw new NotImplementedException();

    /// <summary>Writes the model, the encoder checkpoint, the loss curve and the pictures.</summary>
    public void Save(LossHistory losses) => throw new NotImplementedException();

    public void Dispose() => _ = (ml, photos, cancel);
}
