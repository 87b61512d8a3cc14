using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>A batch that can say what it consists of, for the report of a run that diverged.</summary>
internal interface ITrainingBatch : IDisposable
{
    /// <summary>Positions of its rows in the data, from 0; empty where they are not known.</summary>
    IReadOnlyList<long> SourceRows { get; }

    /// <summary>Its tensors, by name; they stay the batch's.</summary>
    IEnumerable<KeyValuePair<string, Tensor>> Tensors { get; }
}
