using System.ComponentModel.DataAnnotations;

namespace MaskBias.MLNet.Training.Output;

/// <summary>What a training run keeps on disk: its configuration, its checkpoints, its metrics.</summary>
public sealed class RunOutputOptions : IValidatableObject
{
    /// <summary>
    /// Folder of the run, created where missing: <c>run.json</c> (the resolved configuration, written before the first step),
    /// <c>metrics.jsonl</c> (a line per step), <c>checkpoints/</c> with a usable encoder in each, and <c>replay/</c> should the run diverge.
    /// </summary>
    /// <value>null: nothing is written.</value>
    public string? Folder { get; set; }

    /// <summary>What to do where the folder holds a run already.</summary>
    /// <value><see cref="ExistingRun.Refuse"/>.</value>
    public ExistingRun WhenUsed { get; set; } = ExistingRun.Refuse;

    /// <summary>Epochs between two checkpoints; 0 for none but that by <see cref="CheckpointMinutes"/> and the last one.</summary>
    /// <value>1.</value>
    [Range(0, int.MaxValue)]
    public int CheckpointEpochs { get; set; } = 1;

    /// <summary>Minutes between two checkpoints, which then may lie within an epoch; 0 for no limit.</summary>
    /// <value>0.</value>
    [Range(0.0, double.MaxValue)]
    public double CheckpointMinutes { get; set; }

    /// <summary>Checkpoints to keep, the newest ones. Two or more leave one to fall back on.</summary>
    /// <value>3.</value>
    [Range(1, int.MaxValue)]
    public int KeepCheckpoints { get; set; } = 3;

    /// <summary>Whether to write TensorBoard's event files too, to <c>tensorboard/</c>.</summary>
    /// <value>false.</value>
    public bool TensorBoard { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Folder is { } folder && string.IsNullOrWhiteSpace(folder)) yield return new("Folder is blank; it must be a folder's name, or null.");
        if (Folder is null && WhenUsed != ExistingRun.Refuse)
            yield return new($"WhenUsed is {WhenUsed}; it needs a Folder.");
    }

    internal RunOutputOptions Copy() => (RunOutputOptions)MemberwiseClone();
}
