using MaskBias.MLNet.Experiments;
using MaskBias.MLNet.Experiments.Candidates;
using MaskBias.MLNet.NearestNeighbors;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Experiments;

/// <summary>Photos, an encoder and settings for experiments that take a moment.</summary>
internal sealed class ExperimentRuns : IDisposable
{
    public MLContext Ml { get; } = new(1);

    public ShapePhotos Photos { get; } = new(perClass: 10);

    public VisionEncoder Encoder { get; } = TinyEncoders.Plain();

    public TempFolder Folder { get; } = new();

    public string File(string name) => Path.Combine(Folder.Path, name);

    /// <summary>A budget of trials for some of the candidates.</summary>
    public static ClassificationExperimentSettings Settings(int trials, params string[] names) =>
        new() { MaxTrials = trials, AllowedCandidates = names.Length == 0 ? ["k-NN", "LbfgsMaximumEntropy"] : names, Seed = 3 };

    /// <summary>A candidate that does something before it classifies by neighbours.</summary>
    public static ExperimentCandidate Acting(string name, Action<TrialContext> act) => ExperimentCandidate.OnFeatures(name, 1, [], trial =>
    {
        act(trial);
        return new NearestNeighborsEstimator(new() { FeatureColumnName = trial.FeatureColumnName, LabelColumnName = trial.LabelColumnName });
    });

    public ExperimentResult Run(ExperimentSettings settings, IDataView? data = null) =>
        new Experiment(Ml, settings).Execute(data ?? Photos.Load(Ml), Encoder);

    /// <summary>
    /// Runs what takes all the time that it is given, and again with more where that was too little to get to what the test is about: on a busy
    /// machine a few seconds are soon over.
    /// </summary>
    public static T WithTime<T>(Func<TimeSpan, T> run, Func<T, bool> isEnough)
    {
        foreach (int seconds in (int[])[3, 15])
        {
            try
            {
                var result = run(TimeSpan.FromSeconds(seconds));
                if (isEnough(result)) return result;
                (result as IDisposable)?.Dispose();
            }
            catch (InvalidOperationException e) when (e.Message.Contains("Give more time", StringComparison.Ordinal))
            {
                // Not one trial was complete.
            }
        }
        return run(TimeSpan.FromMinutes(1));
    }

    public void Dispose()
    {
        Photos.Dispose();
        Encoder.Dispose();
        Folder.Dispose();
    }
}
