using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>All that the rest of a run depends on, between two steps: it reads and writes in place what the run itself uses.</summary>
/// <param name="method">The method's tensors, by name.</param>
/// <param name="optimizer">The optimizer's moving means, by name.</param>
/// <param name="optimizerSteps">How often the optimizer updated each parameter.</param>
/// <param name="generators">The generators that the method draws from.</param>
/// <param name="losses">The loss of every step so far.</param>
internal sealed class TrainingState(
    IEnumerable<KeyValuePair<string, Tensor>> method, IEnumerable<KeyValuePair<string, Tensor>> optimizer, IReadOnlyList<long> optimizerSteps,
    IEnumerable<KeyValuePair<string, Generator>> generators, IReadOnlyList<double> losses)
{
    private const string StepsName = "optimizer.steps", LossesName = "losses";

    /// <summary>How often the optimizer updated each parameter.</summary>
    public IReadOnlyList<long> OptimizerSteps { get; private set; } = optimizerSteps;

    /// <summary>The loss of every step so far.</summary>
    public double[] Losses { get; private set; } = [.. losses];

    /// <summary>Writes a file of all of it; it appears only when complete.</summary>
    public void Save(string path)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(path, Named(g => g.get_state()));
    }

    /// <summary>Takes everything from a file.</summary>
    /// <exception cref="InvalidDataException">Something is missing, unexpected or of another shape; nothing was changed.</exception>
    public void Load(ITensorSource file)
    {
        using var scope = NewDisposeScope();
        var read = new List<(Generator Generator, Tensor State)>();
        var targets = Named(generator =>
        {
            read.Add((generator, generator.get_state()));
            return read[^1].State;
        }).ToDictionary();
        StateLoader.Load(targets, file);
        foreach (var (generator, state) in read) generator.set_state(state);
        OptimizerSteps = [.. targets[StepsName].data<long>()];
        Losses = [.. targets[LossesName].data<double>()];
    }

    /// <summary>Gives every rank what rank 0 has.</summary>
    public void Broadcast(IRanks ranks)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var read = new List<(Generator Generator, Tensor State)>();
        var all = Named(generator =>
        {
            read.Add((generator, generator.get_state()));
            return read[^1].State;
        }).OrderBy(t => t.Key, StringComparer.Ordinal).ToList();
        foreach (var (_, value) in all) ranks.Broadcast(value);
        foreach (var (generator, state) in read) generator.set_state(state);
        var byName = all.ToDictionary();
        OptimizerSteps = [.. byName[StepsName].data<long>()];
        Losses = [.. byName[LossesName].data<double>()];
    }

    private IEnumerable<KeyValuePair<string, Tensor>> Named(Func<Generator, Tensor> stateOf) =>
    [
        .. method.Select(t => KeyValuePair.Create("method." + t.Key, t.Value)),
        .. optimizer.Select(t => KeyValuePair.Create("optimizer." + t.Key, t.Value)),
        .. generators.Select(g => KeyValuePair.Create("generator." + g.Key, stateOf(g.Value))),
        KeyValuePair.Create(StepsName, tensor(OptimizerSteps.ToArray())),
        KeyValuePair.Create(LossesName, tensor(Losses)),
    ];
}
