using MaskBias.MLNet.Experiments.Search;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.NearestNeighbors;
using Microsoft.ML;
using Microsoft.ML.Trainers;

namespace MaskBias.MLNet.Experiments.Candidates;

/// <summary>The classifiers that this package brings. Relative costs are of 1,350 images of 96 pixels and a ViT-Ti.</summary>
public static class ClassificationCandidates
{
    private const int FineTuneBatch = 32;

    /// <summary>All of them, the cheapest first.</summary>
    public static IReadOnlyList<ExperimentCandidate> All() =>
        [NearestNeighbors(), LinearProbe(), SdcaMaximumEntropy(), LbfgsMaximumEntropy(), FineTuneLastBlocks(), FewShot(), FineTune()];

    /// <summary>DINO's weighted nearest neighbours: "k-NN".</summary>
    public static ExperimentCandidate NearestNeighbors()
    {
        var k = SearchParameter.LogIntegers("K", 1, 200, start: 20);
        var temperature = SearchParameter.LogRange("Temperature", 0.01, 1, start: 0.07);
        return ExperimentCandidate.OnFeatures("k-NN", 1, [k, temperature], trial => new NearestNeighborsEstimator(new()
        {
            LabelColumnName = trial.LabelColumnName, FeatureColumnName = trial.FeatureColumnName, K = trial.Value(k),
            Temperature = trial.Value(temperature),
        }));
    }

    /// <summary>A linear layer, of several learning rates and weight decays at once: "LinearProbe".</summary>
    public static ExperimentCandidate LinearProbe()
    {
        var epochs = SearchParameter.LogIntegers("Epochs", 10, 300, start: 40);
        var batch = SearchParameter.Choice("BatchSize", 256, 64);
        return ExperimentCandidate.OnFeatures("LinearProbe", 200, [epochs, batch], trial =>
        {
            var options = LinearProbeOptions.Sweep();
            (options.LabelColumnName, options.FeatureColumnName) = (trial.LabelColumnName, trial.FeatureColumnName);
            (options.Epochs, options.BatchSize) = (trial.Value(epochs), trial.Value(batch));
            (options.Seed, options.CancellationToken) = (trial.Seed, trial.CancellationToken);
            return new FeatureProbeEstimator(trial.Context, options);
        });
    }

    /// <summary>ML.NET's logistic regression by L-BFGS, on normalised features: "LbfgsMaximumEntropy".</summary>
    public static ExperimentCandidate LbfgsMaximumEntropy()
    {
        var l2 = SearchParameter.LogRange("L2", 1e-4, 10, start: 0.1);
        return ExperimentCandidate.OnFeatures("LbfgsMaximumEntropy", 70, [l2], trial => Normalized(trial,
            trial.Context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(new LbfgsMaximumEntropyMulticlassTrainer.Options
            {
                LabelColumnName = trial.LabelColumnName, FeatureColumnName = trial.FeatureColumnName, L1Regularization = 0,
                L2Regularization = (float)trial.Value(l2), OptimizationTolerance = 1e-5f,
                NumberOfThreads = 2,        // a fixed number, and so sums of a fixed order: the same model on every machine
            })));
    }

    /// <summary>ML.NET's logistic regression by dual coordinate ascent, on normalised features: "SdcaMaximumEntropy".</summary>
    public static ExperimentCandidate SdcaMaximumEntropy()
    {
        var l2 = SearchParameter.LogRange("L2", 1e-6, 0.3, start: 1e-3);
        var iterations = SearchParameter.LogIntegers("Iterations", 5, 100, start: 20);
        return ExperimentCandidate.OnFeatures("SdcaMaximumEntropy", 40, [l2, iterations], trial => Normalized(trial,
            trial.Context.MulticlassClassification.Trainers.SdcaMaximumEntropy(new SdcaMaximumEntropyMulticlassTrainer.Options
            {
                LabelColumnName = trial.LabelColumnName, FeatureColumnName = trial.FeatureColumnName,
                L2Regularization = (float)trial.Value(l2), MaximumNumberOfIterations = trial.Value(iterations), NumberOfThreads = 1,
            })));
    }

    /// <summary>Fine-tuning of the last blocks, the lower ones frozen: "FineTuneLastBlocks".</summary>
    public static ExperimentCandidate FineTuneLastBlocks()
    {
        var blocks = SearchParameter.Choice("Blocks", 2, 1, 4);
        var rate = SearchParameter.LogRange("LearningRate", 5e-4, 0.05, start: 5e-3);
        var epochs = SearchParameter.LogIntegers("Epochs", 2, 50, start: 3);
        return ExperimentCandidate.OnImages("FineTuneLastBlocks", 700, [blocks, rate, epochs], trial =>
        {
            var options = Light();
            (options.TrainableBlocks, options.LearningRate, options.Epochs) = (trial.Value(blocks), trial.Value(rate), trial.Value(epochs));
            return FineTune(trial, options);
        });
    }

    /// <summary>Fine-tuning of the whole encoder: "FineTune".</summary>
    public static ExperimentCandidate FineTune()
    {
        var rate = SearchParameter.LogRange("LearningRate", 5e-4, 0.05, start: 5e-3);
        var decay = SearchParameter.Range("LayerDecay", 0.5, 1, start: 0.75);
        var epochs = SearchParameter.LogIntegers("Epochs", 2, 50, start: 3);
        var strong = SearchParameter.Choice("StrongAugmentation", false, true);
        return ExperimentCandidate.OnImages("FineTune", 2000, [rate, decay, epochs, strong], trial =>
        {
            var options = trial.Value(strong) ? FineTuneOptions.Dino() : Light();
            (options.LearningRate, options.LayerDecay, options.Epochs) = (trial.Value(rate), trial.Value(decay), trial.Value(epochs));
            return FineTune(trial, options);
        });
    }

    /// <summary>Semi-ViT's recipes for 1% and 10% of the labels, on the labels there are: "FewShot".</summary>
    public static ExperimentCandidate FewShot()
    {
        var recipe = SearchParameter.Choice("Recipe", 0.01, 0.1);
        var rate = SearchParameter.LogRange("LearningRate", 5e-5, 0.05, start: 5e-3);
        var epochs = SearchParameter.LogIntegers("Epochs", 2, 100, start: 3);
        return ExperimentCandidate.OnImages("FewShot", 2000, [recipe, rate, epochs], trial =>
        {
            var options = FineTuneOptions.FewShot(trial.Value(recipe));
            (options.LabelFraction, options.LearningRate, options.Epochs) = (1, trial.Value(rate), trial.Value(epochs));
            return FineTune(trial, options);
        });
    }

    /// <summary>Features of mean 0 and deviation 1, for trainers that need it.</summary>
    internal static IEstimator<ITransformer> Normalized(TrialContext trial, IEstimator<ITransformer> trainer) =>
        trial.Context.Transforms.NormalizeMeanVariance(trial.FeatureColumnName, fixZero: false).Append(trainer);

    // For few epochs: nothing that slows learning down.
    private static FineTuneOptions Light() => new()
    {
        Mixup = 0, Cutmix = 0, RandAugmentMagnitude = 0, RandomErasing = 0, DropPath = 0, Crop = new() { MinScale = 0.5 },
    };

    private static FineTuneEstimator FineTune(TrialContext trial, FineTuneOptions options)
    {
        (options.LabelColumnName, options.ImageColumnName) = (trial.LabelColumnName, trial.ImageColumnName);
        (options.Seed, options.CancellationToken) = (trial.Seed, trial.CancellationToken);
        (options.BatchSize, options.Pooling, options.ImageCacheMegabytes) = (FineTuneBatch, null, trial.ImageCacheMegabytes);
        return new(trial.Context, trial.Encoder, options);
    }
}
