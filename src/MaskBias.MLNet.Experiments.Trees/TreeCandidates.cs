using MaskBias.MLNet.Experiments.Candidates;
using MaskBias.MLNet.Experiments.Search;
using Microsoft.ML;
using Microsoft.ML.Trainers.FastTree;
using Microsoft.ML.Trainers.LightGbm;

namespace MaskBias.MLNet.Experiments.Trees;

/// <summary>LightGBM and FastTree as candidates: a package of its own, since few apps want their native libraries.</summary>
public static class TreeCandidates
{
    /// <summary>Adds "LightGbm" and "FastTree" (one tree ensemble for each class against the others) to what an experiment tries.</summary>
    public static ClassificationExperimentSettings AddTrees(this ClassificationExperimentSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Candidates.Add(LightGbmClassifier());
        settings.Candidates.Add(FastTreeClassifier());
        return settings;
    }

    /// <summary>Adds "LightGbm" and "FastTree" to what an experiment tries.</summary>
    public static RegressionExperimentSettings AddTrees(this RegressionExperimentSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Candidates.Add(LightGbmRegression());
        settings.Candidates.Add(FastTreeRegression());
        return settings;
    }

    /// <summary>LightGBM's multiclass trees: "LightGbm".</summary>
    public static ExperimentCandidate LightGbmClassifier()
    {
        var space = new TreeSpace();
        return ExperimentCandidate.OnFeatures("LightGbm", 90, space.Parameters, trial =>
            trial.Context.MulticlassClassification.Trainers.LightGbm(new LightGbmMulticlassTrainer.Options
            {
                LabelColumnName = trial.LabelColumnName, FeatureColumnName = trial.FeatureColumnName,
                NumberOfIterations = trial.Value(space.Trees), NumberOfLeaves = trial.Value(space.Leaves),
                LearningRate = trial.Value(space.LearningRate), MinimumExampleCountPerLeaf = trial.Value(space.RowsPerLeaf), Seed = trial.Seed, NumberOfThreads = 1,
            }));
    }

    /// <summary>FastTree, one ensemble for each class against the others: "FastTree".</summary>
    public static ExperimentCandidate FastTreeClassifier()
    {
        var space = new TreeSpace();
        return ExperimentCandidate.OnFeatures("FastTree", 500, space.Parameters, trial =>
            trial.Context.MulticlassClassification.Trainers.OneVersusAll(
                trial.Context.BinaryClassification.Trainers.FastTree(space.Set(new FastTreeBinaryTrainer.Options(), trial)),
                trial.LabelColumnName));
    }

    /// <summary>LightGBM's regression trees: "LightGbm".</summary>
    public static ExperimentCandidate LightGbmRegression()
    {
        var space = new TreeSpace();
        return ExperimentCandidate.OnFeatures("LightGbm", 10, space.Parameters, trial =>
            trial.Context.Regression.Trainers.LightGbm(new LightGbmRegressionTrainer.Options
            {
                LabelColumnName = trial.LabelColumnName, FeatureColumnName = trial.FeatureColumnName,
                NumberOfIterations = trial.Value(space.Trees), NumberOfLeaves = trial.Value(space.Leaves),
                LearningRate = trial.Value(space.LearningRate), MinimumExampleCountPerLeaf = trial.Value(space.RowsPerLeaf), Seed = trial.Seed, NumberOfThreads = 1,
            }));
    }

    /// <summary>FastTree's regression trees: "FastTree".</summary>
    public static ExperimentCandidate FastTreeRegression()
    {
        var space = new TreeSpace();
        return ExperimentCandidate.OnFeatures("FastTree", 10, space.Parameters, trial =>
            trial.Context.Regression.Trainers.FastTree(space.Set(new FastTreeRegressionTrainer.Options(), trial)));
    }
}
