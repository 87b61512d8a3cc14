using MaskBias.MLNet.Experiments.Search;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Experiments.Candidates;

/// <summary>What a candidate's estimator is built from: columns, encoder, and the values chosen for its parameters.</summary>
public sealed class TrialContext
{
    private readonly SearchSpace space;
    private readonly double[] point;

    internal TrialContext(SearchSpace space, double[] point) => (this.space, this.point) = (space, point);

    /// <summary>The trial's own context, with its seed; the trial is stopped by cancelling it.</summary>
    public required MLContext Context { get; init; }

    /// <summary>The encoder of the trial. It stays the experiment's: an estimator that trains it must train a copy.</summary>
    public required VisionEncoder Encoder { get; init; }

    /// <summary>Column with the images.</summary>
    public required string ImageColumnName { get; init; }

    /// <summary>Column with the features: a vector of Single. For candidates that learn from features.</summary>
    public required string FeatureColumnName { get; init; }

    /// <summary>Column with the label: a key in classification, Single in regression.</summary>
    public required string LabelColumnName { get; init; }

    /// <summary>Rows that are learned from.</summary>
    public required int Rows { get; init; }

    /// <summary>Seed of everything drawn at random.</summary>
    public required int Seed { get; init; }

    /// <summary>Megabytes that a cache of images may take.</summary>
    public required int ImageCacheMegabytes { get; init; }

    /// <summary>Stops the trial.</summary>
    public required CancellationToken CancellationToken { get; init; }

    /// <summary>The value chosen for a parameter.</summary>
    /// <exception cref="ArgumentException">It is not one of the candidate's parameters.</exception>
    public T Value<T>(SearchParameter<T> parameter) where T : notnull => space.Value(parameter, point);
}
