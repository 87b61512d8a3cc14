using MaskBias.MLNet.Experiments.Search;
using Microsoft.ML;

namespace MaskBias.MLNet.Experiments.Candidates;

/// <summary>A way to learn that an experiment tries: a name, what may be varied, and what builds the estimator.</summary>
/// <remarks>
/// <code>
/// var trees = SearchParameter.LogIntegers("Trees", 10, 300, start: 50);
/// settings.Candidates.Add(ExperimentCandidate.OnFeatures("Mine", relativeCost: 20, [trees],
///     trial => new MyTrainer(trial.LabelColumnName, trial.FeatureColumnName, trial.Value(trees))));
/// </code>
/// </remarks>
public sealed class ExperimentCandidate
{
    private static readonly string[] Reserved = ["Encoder", "Features"];

    private ExperimentCandidate(
        string name, CandidateInput input, double relativeCost, IEnumerable<SearchParameter> space,
        Func<TrialContext, IEstimator<ITransformer>> create)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(create);
        if (!(relativeCost > 0) || double.IsInfinity(relativeCost))
            throw new ArgumentException($"The relative cost of {name} is {relativeCost}; it must be a number above 0.", nameof(relativeCost));
        (Name, Input, RelativeCost, SearchSpace, Create) = (name, input, relativeCost, [.. space], create);
        if (SearchSpace.Select(p => p.Name).Concat(Reserved).GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new ArgumentException(
                $"{name} has a second parameter of the name {twice.Key}; {string.Join(" and ", Reserved)} are the experiment's.", nameof(space));
        }
    }

    /// <summary>Its name, as tables and <see cref="ExperimentSettings.AllowedCandidates"/> have it.</summary>
    public string Name { get; }

    /// <summary>What it learns from.</summary>
    public CandidateInput Input { get; }

    /// <summary>About how long its first trial takes, as a multiple of k-NN's: cheap candidates are tried first.</summary>
    public double RelativeCost { get; }

    /// <summary>What is varied.</summary>
    public IReadOnlyList<SearchParameter> SearchSpace { get; }

    internal Func<TrialContext, IEstimator<ITransformer>> Create { get; }

    /// <summary>A candidate that learns from an encoder's features.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="relativeCost">About how long its first trial takes, k-NN being 1.</param>
    /// <param name="space">What is varied; each starts with a cheap value.</param>
    /// <param name="create">
    /// Builds the estimator: it must add Score, and in classification PredictedLabel, and must be one that can be saved.
    /// </param>
    public static ExperimentCandidate OnFeatures(
        string name, double relativeCost, IEnumerable<SearchParameter> space, Func<TrialContext, IEstimator<ITransformer>> create) =>
        new(name, CandidateInput.Features, relativeCost, space, create);

    /// <summary>A candidate that learns from images.</summary>
    /// <inheritdoc cref="OnFeatures"/>
    public static ExperimentCandidate OnImages(
        string name, double relativeCost, IEnumerable<SearchParameter> space, Func<TrialContext, IEstimator<ITransformer>> create) =>
        new(name, CandidateInput.Images, relativeCost, space, create);

    /// <summary>The name and what is varied.</summary>
    public override string ToString() => $"{Name} ({string.Join("; ", SearchSpace)})";
}
