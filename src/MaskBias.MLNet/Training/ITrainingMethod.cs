using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>What the training loop needs to know of a method such as DINO or MAE. Called from one thread.</summary>
internal interface ITrainingMethod<TBatch>
{
    /// <summary>Every parameter that may ever be trained, by name.</summary>
    IEnumerable<(string Name, Parameter Parameter)> Parameters { get; }

    /// <summary>Prepares for an epoch, for instance by unfreezing parameters.</summary>
    void BeginEpoch(int epoch);

    /// <summary>
    /// Computes the mean loss of a batch, or of one of its equal parts where gradients are accumulated: a scalar with a gradient graph.
    /// </summary>
    Tensor Loss(TBatch batch, TrainingPosition position);

    /// <summary>Sees the clipped gradients before the update and may drop some.</summary>
    void BeforeUpdate(TrainingPosition position);

    /// <summary>Follows the updated parameters, for instance with a moving average.</summary>
    void AfterUpdate(TrainingPosition position);
}
