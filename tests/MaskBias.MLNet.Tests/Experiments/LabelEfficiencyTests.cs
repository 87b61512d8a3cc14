using System.Xml.Linq;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Experiments.Candidates;
using MaskBias.MLNet.Experiments.LabelEfficiency;
using MaskBias.MLNet.Experiments.Search;
using MaskBias.MLNet.NearestNeighbors;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Tests.Experiments;

public sealed class LabelEfficiencyTests : IDisposable
{
    private readonly ExperimentRuns runs = new();

    [Fact]
    public void It_measures_growing_shares_of_labels_with_both_encoders_and_draws_them()
    {
        var data = runs.Photos.Load(runs.Ml);
        var report = runs.Ml.SelfSupervised().MeasureLabelEfficiency(data, runs.Encoder, new() { Seed = 2 });
        Assert.Equal([0.01, 0.05, 0.1, 0.25, 1], report.Points.Select(p => p.Fraction));
        Assert.Equal([3, 3, 3, 6, 24], report.Points.Select(p => p.Labels));               // of three classes, at least one each
        Assert.Equal(6, report.HeldOut);
        Assert.True(report.Points[^1].Pretrained > 0.8, $"{report}");
        Assert.True(report.Points[^1].Random > 0.5, $"{report}");                          // a third by chance
        Assert.Equal(report.Points, runs.Ml.SelfSupervised().MeasureLabelEfficiency(data, runs.Encoder, new() { Seed = 2 }).Points);

        report.WriteCsv(runs.File("labels.csv"));
        Assert.Equal(6, File.ReadAllLines(runs.File("labels.csv")).Length);
        report.WritePlot(runs.File("labels.svg"));
        var elements = XDocument.Load(runs.File("labels.svg")).Descendants().GroupBy(e => e.Name.LocalName).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal((2, 10), (elements["polyline"], elements["circle"]));
    }

    [Fact]
    public void The_random_encoder_is_another_of_the_same_architecture_and_rows_held_out_are_never_learned_from()
    {
        var seen = new List<(VisionEncoder Encoder, int Rows)>();
        var spying = ExperimentCandidate.OnFeatures("spying", 1, [SearchParameter.Choice("Unused", 1)], trial =>
        {
            seen.Add((trial.Encoder, trial.Rows));
            return new NearestNeighborsEstimator(new() { FeatureColumnName = trial.FeatureColumnName, LabelColumnName = trial.LabelColumnName });
        });
        var report = runs.Ml.SelfSupervised().MeasureLabelEfficiency(runs.Photos.Load(runs.Ml), runs.Encoder,
            new() { Seed = 2, Candidate = spying, Fractions = [1, 0.25], Repeats = 2 });
        Assert.Equal([6, 6, 6, 6, 24, 24], seen.Select(s => s.Rows));
        Assert.Equal(3, seen.Count(s => ReferenceEquals(s.Encoder, runs.Encoder)));
        Assert.Equal("spying", report.Candidate);
    }

    [Theory]
    [InlineData(PositionKind.SinCos, false, true)]
    [InlineData(PositionKind.Learned, true, true)]
    [InlineData(PositionKind.Learned, false, false)]
    public void The_random_encoder_begins_as_the_pretraining_of_the_other_did(PositionKind positions, bool hasDecoder, bool asMae)
    {
        var options = runs.Encoder.Model.Options;
        options.Positions = positions;
        var decoder = hasDecoder ? new MaeDecoder(options, new() { EmbedDim = 12, Depth = 1, Heads = 3 }) : null;
        using var encoder = new VisionEncoder(new VisionTransformer(options, 1), decoder: decoder);
        var seen = new List<float[]>();
        var spying = ExperimentRuns.Acting("spying", trial => seen.Add(FirstWeights(trial.Encoder.Model)));
        runs.Ml.SelfSupervised().MeasureLabelEfficiency(runs.Photos.Load(runs.Ml), encoder, new() { Seed = 2, Candidate = spying, Fractions = [1] });
        using var expected = asMae ? VisionTransformer.CreateAsMae(options, 2) : new VisionTransformer(options, 2);
        Assert.Equal([FirstWeights(encoder.Model), FirstWeights(expected)], seen);

        static float[] FirstWeights(VisionTransformer model) => TinyTraining.Values(model.state_dict()["blocks.0.attn.qkv.weight"]);
    }

    [Fact]
    public void Options_out_of_range_are_all_named()
    {
        string message = Assert.Throws<ArgumentException>(() => runs.Ml.SelfSupervised().MeasureLabelEfficiency(
            runs.Photos.Load(runs.Ml), runs.Encoder, new() { Fractions = [0, 2], Repeats = 0 })).Message;
        foreach (string part in new[] { "Fractions is [0, 2]", "Repeats is 0" }) Assert.Contains(part, message);
    }

    public void Dispose() => runs.Dispose();
}
