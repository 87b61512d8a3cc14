using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>What the training loop asks of an optimizer.</summary>
internal interface IOptimizer : IDisposable
{
    /// <summary>What it remembers of each parameter, by name; written back in place when a run is resumed. Nothing where runs are not kept.</summary>
    IEnumerable<KeyValuePair<string, Tensor>> State => [];

    /// <summary>How often it updated each parameter, where that bears on an update.</summary>
    IReadOnlyList<long> Steps
    {
        get => [];
        set
        {
        }
    }

    /// <summary>Takes in parameters that have come to require a gradient; others it knows already.</summary>
    void Join(IEnumerable<(string Name, Parameter Parameter)> parameters);

    /// <summary>Sets what the next step uses.</summary>
    void Set(double learningRate, double weightDecay);

    /// <summary>Updates every parameter that has a gradient.</summary>
    void Step();
}
