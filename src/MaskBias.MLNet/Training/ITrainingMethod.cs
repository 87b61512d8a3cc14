using MaskBias.MLNet.Distributed;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>What the training loop needs to know of a method such as DINO or MAE. Called from one thread.</summary>
internal interface ITrainingMethod<TBatch>
{
    /// <summary>Every parameter that may ever be trained, by name.</summary>
    IEnumerable<(string Name, Parameter Parameter)> Parameters { get; }

    /// <summary>
    /// Every tensor that a later step depends on, by name: a run goes on bit for bit when they are written back in place between two steps.
    /// </summary>
    IEnumerable<KeyValuePair<string, Tensor>> State => Parameters.Select(p => KeyValuePair.Create(p.Name, (Tensor)p.Parameter));

    /// <summary>The generators that it draws from during training, by name.</summary>
    IEnumerable<KeyValuePair<string, Generator>> Generators => [];

    /// <summary>What it observed lately beside the loss, by name; empty where it observes nothing.</summary>
    IReadOnlyDictionary<string, double> Metrics => TrainingProgress.NoMetrics;

    /// <summary>
    /// Tells, before the first step, that each batch, or each part of one, is spread over ranks: <see cref="Loss"/> then sees the rank's own
    /// rows, and what it draws, measures and keeps must be that of the whole.
    /// </summary>
    /// <exception cref="NotSupportedException">The method cannot be spread.</exception>
    void JoinRanks(RankShare share) => throw new NotSupportedException($"{GetType().Name} trains in one process only; Distributed must be None.");

    /// <summary>
    /// Brings what it gathered over a batch, beside the gradients, together over the ranks: before the update, so that a rank that is lost
    /// leaves the state of the step before.
    /// </summary>
    void ReduceOverRanks()
    {
    }

    /// <summary>Prepares for an epoch, for instance by unfreezing parameters.</summary>
    void BeginEpoch(int epoch);

    /// <summary>
    /// Computes the mean loss of a batch, or of one of its equal parts where gradients are accumulated: a scalar, with a gradient graph
    /// unless the method has a <see cref="Backward"/> of its own.
    /// </summary>
    Tensor Loss(TBatch batch, TrainingPosition position);

    /// <summary>Adds the gradient of a loss that was just computed, times a scale, to the parameters'.</summary>
    void Backward(Tensor loss, double scale) => (loss * Number(scale)).backward();

    /// <summary>Sees the clipped gradients before the update and may drop some.</summary>
    void BeforeUpdate(TrainingPosition position);

    /// <summary>Follows the updated parameters, for instance with a moving average.</summary>
    void AfterUpdate(TrainingPosition position);

    /// <summary>Takes note of the mean loss of a step that was done, over its parts and the ranks.</summary>
    void Observe(TrainingPosition position, double loss)
    {
    }

    /// <summary>What a user should be told after a step, each fault once; mostly nothing.</summary>
    IEnumerable<string> TakeWarnings() => [];
}
