using MaskBias.MLNet.Experiments.Candidates;
using MaskBias.MLNet.Experiments.Search;
using Microsoft.ML.Trainers.FastTree;

namespace MaskBias.MLNet.Experiments.Trees;

/// <summary>What is varied of an ensemble of trees; it begins with few small ones.</summary>
internal sealed class TreeSpace
{
    public SearchParameter<int> Trees { get; } = SearchParameter.LogIntegers("Trees", 5, 300, start: 20);

    public SearchParameter<int> Leaves { get; } = SearchParameter.LogIntegers("Leaves", 4, 128, start: 8);

    public SearchParameter<double> LearningRate { get; } = SearchParameter.LogRange("LearningRate", 0.02, 0.5, start: 0.2);

    public SearchParameter<int> RowsPerLeaf { get; } = SearchParameter.LogIntegers("RowsPerLeaf", 1, 100, start: 10);

    public IReadOnlyList<SearchParameter> Parameters => [Trees, Leaves, LearningRate, RowsPerLeaf];

    /// <summary>Sets what a trial chose; one thread gives the same trees every time.</summary>
    public T Set<T>(T options, TrialContext trial) where T : BoostedTreeOptions
    {
        (options.LabelColumnName, options.FeatureColumnName, options.Seed, options.NumberOfThreads) =
            (trial.LabelColumnName, trial.FeatureColumnName, trial.Seed, 1);
        (options.NumberOfTrees, options.NumberOfLeaves) = (trial.Value(Trees), trial.Value(Leaves));
        (options.LearningRate, options.MinimumExampleCountPerLeaf) = (trial.Value(LearningRate), trial.Value(RowsPerLeaf));
        return options;
    }
}
