using TorchSharp.Modules;

namespace MaskBias.MLNet.Training;

/// <summary>What the training loop asks of an optimizer.</summary>
internal interface IOptimizer : IDisposable
{
    /// <summary>Takes in parameters that have come to require a gradient; others it knows already.</summary>
    void Join(IEnumerable<(string Name, Parameter Parameter)> parameters);

    /// <summary>Sets what the next step uses.</summary>
    void Set(double learningRate, double weightDecay);

    /// <summary>Updates every parameter that has a gradient.</summary>
    void Step();
}
