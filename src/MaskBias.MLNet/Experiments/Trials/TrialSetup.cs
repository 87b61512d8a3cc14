using MaskBias.MLNet.Experiments.Candidates;
using MaskBias.MLNet.Experiments.Search;

namespace MaskBias.MLNet.Experiments.Trials;

/// <summary>A candidate with everything that an experiment varies: its own parameters, the encoder, and the features.</summary>
internal sealed class TrialSetup
{
    private readonly SearchParameter<string>? encoder;
    private readonly SearchParameter<FeatureChoice>? features;
    private readonly string onlyEncoder;

    public TrialSetup(ExperimentCandidate candidate, IReadOnlyList<string> encoders, IReadOnlyList<FeatureChoice> choices)
    {
        Candidate = candidate;
        onlyEncoder = encoders[0];
        if (encoders.Count > 1) encoder = SearchParameter.Choice("Encoder", [.. encoders]);
        if (candidate.Input == CandidateInput.Features) features = SearchParameter.Choice("Features", [.. choices]);
        Space = new([.. new SearchParameter?[] { encoder, features }.OfType<SearchParameter>(), .. candidate.SearchSpace]);
    }

    public ExperimentCandidate Candidate { get; }

    public SearchSpace Space { get; }

    public string EncoderAt(double[] point) => encoder is null ? onlyEncoder : Space.Value(encoder, point);

    /// <summary>The features; null where the candidate learns from images.</summary>
    public FeatureChoice? FeaturesAt(double[] point) => features is null ? null : Space.Value(features, point);

    /// <summary>The values of the candidate's own parameters.</summary>
    public IReadOnlyDictionary<string, string> Print(double[] point)
    {
        var all = Space.Print(point);
        return Candidate.SearchSpace.ToDictionary(p => p.Name, p => all[p.Name]);
    }
}
