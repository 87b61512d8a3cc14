using System.Globalization;

namespace MaskBias.MLNet.Training;

/// <summary>The loss or the gradient of a step was not a finite number. The parameters are those before that step.</summary>
public sealed class TrainingDivergedException : Exception
{
    private const int NamedRows = 16;

    internal TrainingDivergedException(
        string phase, TrainingPosition position, string what, double value, double learningRate, IReadOnlyList<long> rows,
        double? clipGradient = null, string? checkpoint = null, string? replay = null)
        : base(Describe(phase, position, what, value, learningRate, rows, clipGradient, checkpoint, replay)) =>
        (Phase, Position, What, Value, LearningRate, Rows, ClipGradient, Checkpoint, ReplayFolder) =
            (phase, position, what, value, learningRate, rows, clipGradient, checkpoint, replay);

    /// <summary>The step, counted from 0.</summary>
    public long Step => Position.Step;

    /// <summary>Positions in the data of the rows of the batch, or of the part of it that the fault was found in, from 0.</summary>
    public IReadOnlyList<long> Rows { get; }

    /// <summary>The last good checkpoint, or null where the run writes none or has not come to one.</summary>
    public string? Checkpoint { get; }

    /// <summary>
    /// A folder with the batch and the state before the step, to look into what happened; null where the run has no output folder.
    /// </summary>
    public string? ReplayFolder { get; }

    private string Phase { get; }

    private TrainingPosition Position { get; }

    private string What { get; }

    private double Value { get; }

    private double LearningRate { get; }

    private double? ClipGradient { get; }           // the option's; null where the run has none

    /// <summary>The same fault, with what was written to disk.</summary>
    internal TrainingDivergedException With(string? checkpoint, string? replay) =>
        new(Phase, Position, What, Value, LearningRate, Rows, ClipGradient, checkpoint, replay);

    private static string Describe(
        string phase, TrainingPosition position, string what, double value, double learningRate, IReadOnlyList<long> rows,
        double? clipGradient, string? checkpoint, string? replay)
    {
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{phase} diverged: the {what} is {value} at step {position.Step} of epoch {position.Epoch + 1}, where the learning rate was {learningRate:g4}.");
        if (rows.Count > 0) text += $" Rows of the batch: {string.Join(", ", rows.Take(NamedRows))}{(rows.Count > NamedRows ? ", …" : "")}.";
        if (checkpoint is not null) text += $" The last good checkpoint is {checkpoint}.";
        if (replay is not null) text += $" The batch and the state before it are in {replay}.";
        return text + clipGradient switch
        {
            null => " Lower the learning rate or lengthen WarmupEpochs.",
            0 => " Lower LearningRate, lengthen WarmupEpochs or set ClipGradient.",
            _ => " Lower LearningRate, lengthen WarmupEpochs or lower ClipGradient.",
        };
    }
}
