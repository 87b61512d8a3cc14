using MaskBias.MLNet.Experiments.Trials;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using TorchSharp;

namespace MaskBias.MLNet.Experiments.LabelEfficiency;

/// <summary>Measures a classifier on growing shares of the labels, with an encoder and with a random one.</summary>
internal static class LabelEfficiencyRun
{
    private const string Pretrained = "pretrained", Random = "random";

    public static LabelEfficiencyReport Measure(MLContext context, IDataView data, VisionEncoder encoder, LabelEfficiencyOptions options)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(encoder);
        OptionsValidator.Validate(options);
        var host = ((IHostEnvironment)context).Register("Label efficiency");
        using var log = new RunLog(host);
        int seed = options.Seed ?? host.Rand.Next();
        var settings = new ClassificationExperimentSettings
        {
            ImageColumnName = options.ImageColumnName, LabelColumnName = options.LabelColumnName,
            ValidationFraction = options.ValidationFraction,
        };
        using var random = new VisionEncoder(Untrained(encoder, seed), normalization: encoder.Normalization);
        random.Model.to(encoder.Device);
        var encoders = new Dictionary<string, VisionEncoder> { [Pretrained] = encoder, [Random] = random };
        var rows = ExperimentData.Load(
            context, data, encoders, settings.Task, options.ImageColumnName, options.LabelColumnName, log, options.CancellationToken);
        var (train, heldOut) = DataSplits.Make(rows.Labels, settings, seed)[0];
        var runner = new TrialRunner(settings.Task, settings, rows);
        int[] classes = [.. train.Select(i => rows.Labels.Strata[i])];

        var points = new List<LabelEfficiencyPoint>();
        foreach (double fraction in options.Fractions.Distinct().Order())
        {
            int repeats = fraction == 1 ? 1 : options.Repeats;
            int[] draws = [.. Enumerable.Range(0, repeats).Select(repeat => RandomStreams.Seed(seed, repeat, RandomStream.FewLabels))];
            int[][] few = [.. draws.Select(s => StratifiedSplit.Few(classes, fraction, s).Select(i => train[i]).ToArray())];
            var (good, goodDeviation) = Accuracy(Pretrained);
            var (plain, plainDeviation) = Accuracy(Random);
            points.Add(new(fraction, few[0].Length, good, goodDeviation, plain, plainDeviation));

            (double Mean, double Deviation) Accuracy(string name)
            {
                var setup = new TrialSetup(options.Candidate, [name], [options.Features]);
                double[] all = [.. few.Zip(draws, (chosen, drawn) =>
                {
                    using var outcome = runner.Run(setup, setup.Space.Start, drawn, [(chosen, heldOut)], options.CancellationToken);
                    return outcome.Metrics[settings.Task.Metric];
                })];
                double mean = all.Average();
                return (mean, all.Length == 1 ? 0 : Math.Sqrt(all.Sum(a => (a - mean) * (a - mean)) / (all.Length - 1)));
            }
        }
        return new() { Points = points, HeldOut = heldOut.Length, Candidate = options.Candidate.Name, Seed = seed };
    }

    /// <summary>A transformer of the same architecture, as the pretraining of the encoder would have begun.</summary>
    internal static VisionTransformer Untrained(VisionEncoder encoder, int seed)
    {
        var architecture = encoder.Model.Options;
        bool isMae = encoder.Decoder is not null || architecture.Positions == PositionKind.SinCos;       // fixed positions are MAE's
        return isMae ? VisionTransformer.CreateAsMae(architecture, seed) : new(architecture, seed);
    }
}
