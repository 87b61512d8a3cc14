using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.RankPrograms;

/// <summary>A method with its weights, which trains by itself.</summary>
internal abstract class RankedMethod : IDisposable
{
    public const int Batch = 8, Epochs = 2, StepsPerEpoch = 10;

    public IReadOnlyList<double> Losses { get; protected set; } = [];

    /// <summary>Trains on own rows of every batch; gives the weights.</summary>
    public abstract Dictionary<string, double[]> Train(IRanks ranks);

    public abstract Dictionary<string, double[]> Weights();

    public abstract void Dispose();


    protected static double[] Values(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().to_type(ScalarType.Float64).contiguous().data<double>().ToArray();
    }
}
