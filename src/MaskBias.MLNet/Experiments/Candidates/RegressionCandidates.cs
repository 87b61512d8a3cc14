using MaskBias.MLNet.Experiments.Search;
using Microsoft.ML;
using Microsoft.ML.Trainers;

namespace MaskBias.MLNet.Experiments.Candidates;

/// <summary>The regressions that this package brings, all on features; trees come with MaskBias.MLNet.Experiments.Trees.</summary>
public static class RegressionCandidates
{
    /// <summary>All of them, the cheapest first.</summary>
    public static IReadOnlyList<ExperimentCandidate> All() => [OnlineGradientDescent(), Sdca()];

    /// <summary>ML.NET's linear regression by dual coordinate ascent, on normalised features: "Sdca".</summary>
    public static ExperimentCandidate Sdca()
    {
        var l2 = SearchParameter.LogRange("L2", 1e-6, 1, start: 0.01);
        var iterations = SearchParameter.LogIntegers("Iterations", 5, 200, start: 30);
        return ExperimentCandidate.OnFeatures("Sdca", 4, [l2, iterations], trial => ClassificationCandidates.Normalized(trial,
            trial.Context.Regression.Trainers.Sdca(new SdcaRegressionTrainer.Options
            {
                LabelColumnName = trial.LabelColumnName, FeatureColumnName = trial.FeatureColumnName,
                L2Regularization = (float)trial.Value(l2), MaximumNumberOfIterations = trial.Value(iterations), NumberOfThreads = 1,
            })));
    }

    /// <summary>ML.NET's linear regression by gradient descent, on normalised features: "OnlineGradientDescent".</summary>
    public static ExperimentCandidate OnlineGradientDescent()
    {
        var rate = SearchParameter.LogRange("LearningRate", 1e-4, 0.1, start: 1e-3);
        var l2 = SearchParameter.LogRange("L2", 1e-6, 1, start: 1e-3);
        var iterations = SearchParameter.LogIntegers("Iterations", 5, 200, start: 30);
        SearchParameter[] space = [rate, l2, iterations];
        return ExperimentCandidate.OnFeatures("OnlineGradientDescent", 2, space, trial => ClassificationCandidates.Normalized(trial,
            trial.Context.Regression.Trainers.OnlineGradientDescent(new OnlineGradientDescentTrainer.Options
            {
                LabelColumnName = trial.LabelColumnName, FeatureColumnName = trial.FeatureColumnName,
                LearningRate = (float)trial.Value(rate), L2Regularization = (float)trial.Value(l2), NumberOfIterations = trial.Value(iterations), DecreaseLearningRate = true,
            })));
    }
}
