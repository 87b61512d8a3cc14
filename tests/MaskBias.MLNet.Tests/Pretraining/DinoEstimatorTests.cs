using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Training;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>DINO pretraining as the estimator runs it.</summary>
public sealed class DinoEstimatorTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    private readonly MLContext ml = new(1);

    [Fact]
    public void Alpha_moves_in_a_short_masked_run_and_the_teacher_that_comes_of_it_has_it()
    {
        var options = TinyTraining.MaskedDino().With(o => (o.Epochs, o.MaskBias.InitialValue, o.TeacherMomentum) = (4, 0.5, 0.5));
        using var model = ml.SelfSupervised().Dino(options).Fit(scenes.LoadWithMasks(ml));
        Assert.True(model.Encoder.Model.IsMaskGuided);
        Assert.Contains("FreezeBiasEpochs is 1, not 100: at most 33% of 4 epochs.", model.Report.Adjustments);
        Assert.All(model.Encoder.Model.BiasValues()[0].Alpha!, value => Assert.InRange(Math.Abs(value - 0.5f), 1e-7f, 0.1f));
    }

    [Fact]
    public void The_bias_can_stay_as_it_is_for_the_whole_run()
    {
        var options = TinyTraining.MaskedDino().With(o => (o.Epochs, o.MaskBias.InitialValue, o.FreezeBiasEpochs) = (4, 0.5, int.MaxValue));
        using var model = ml.SelfSupervised().Dino(options).Fit(scenes.LoadWithMasks(ml));
        Assert.All(model.Encoder.Model.BiasValues(), layer => Assert.All(layer.Alpha!, value => Assert.Equal(0.5f, value)));
        Assert.DoesNotContain(model.Report.Adjustments, a => a.Contains("FreezeBiasEpochs", StringComparison.Ordinal));
    }

    [Fact]
    public void No_masks_in_any_image_gives_the_plain_run_to_the_bit()
    {
        var rows = scenes.Rows();
        for (int i = 0; i < rows.Count; i++) rows[i].Masks = i % 2 == 0 ? [] : MaskSet.Empty(SceneFolder.Side, SceneFolder.Side).Encode();
        using var masked = ml.SelfSupervised().Dino(TinyTraining.MaskedDino().With(o => o.Epochs = 3))
            .Fit(ml.Data.LoadFromEnumerable(rows));
        using var plain = ml.SelfSupervised().Dino(TinyTraining.Dino().With(o => o.Epochs = 3)).Fit(scenes.Load(ml));
        Assert.Equal(plain.Report.Losses, masked.Report.Losses);
        var weights = TinyTraining.Weights(masked.Encoder);
        var bias = weights.Keys.Where(k => k.Contains("mask_alpha", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, bias.Count);
        Assert.All(bias, name => Assert.True(weights.Remove(name, out var alpha) && alpha.All(a => a == 0)));
        TinyTraining.AssertSame(TinyTraining.Weights(plain.Encoder), weights);
    }

    [Fact]
    public void Masks_change_what_is_learned()
    {
        var options = TinyTraining.MaskedDino().With(o => o.MaskBias.InitialValue = 2);
        using var masked = ml.SelfSupervised().Dino(options).Fit(scenes.LoadWithMasks(ml));
        using var plain = ml.SelfSupervised().Dino(TinyTraining.Dino()).Fit(scenes.Load(ml));
        Assert.NotEqual(plain.Report.Losses, masked.Report.Losses);
    }

    [Fact]
    public void The_seed_alone_decides_not_the_threads()
    {
        var first = Train(seed: 7, threads: 1);
        TinyTraining.AssertSame(first, Train(seed: 7, threads: 3));
        TinyTraining.AssertSame(first, Train(seed: 7, threads: 2, cacheMegabytes: 0));
        Assert.NotEqual(first["backbone.cls_token"], Train(seed: 8, threads: 1)["backbone.cls_token"]);

        Dictionary<string, float[]> Train(int seed, int threads, int cacheMegabytes = 512)
        {
            var options = TinyTraining.MaskedDino().With(o => (o.Seed, o.LoaderThreads, o.Epochs, o.BatchSize) = (seed, threads, 4, 3));
            options.ImageCacheMegabytes = cacheMegabytes;
            using var model = ml.SelfSupervised().Dino(options).Fit(scenes.LoadWithMasks(ml));
            return TinyTraining.Weights(model.Encoder);
        }
    }

    [Fact]
    public void Without_a_seed_the_contexts_decides()
    {
        var first = Train(new MLContext(5));
        TinyTraining.AssertSame(first, Train(new MLContext(5)));
        Assert.NotEqual(first["backbone.cls_token"], Train(new MLContext(6))["backbone.cls_token"]);

        Dictionary<string, float[]> Train(MLContext context)
        {
            using var model = context.SelfSupervised().Dino(TinyTraining.Dino().With(o => o.Seed = null)).Fit(scenes.Load(context));
            return TinyTraining.Weights(model.Encoder);
        }
    }

    [Fact]
    public void Progress_is_reported_after_every_step_with_the_time_left()
    {
        var reports = new Reports();
        List<string> log = [];
        ml.Log += (_, e) => log.Add(e.Message);
        using var model = ml.SelfSupervised().Dino(TinyTraining.Dino().With(o => (o.Epochs, o.Progress) = (3, reports)))
            .Fit(scenes.Load(ml));

        Assert.Equal(Enumerable.Range(1, 6).Select(i => (long)i), reports.Select(r => r.Step));
        Assert.Equal([1, 1, 2, 2, 3, 3], reports.Select(r => r.Epoch));
        Assert.All(reports, r => Assert.Equal(("DINO", 3, 6L), (r.Phase, r.Epochs, r.Steps)));
        Assert.Equal(model.Report.Losses, reports.Select(r => r.Loss));
        Assert.Equal(reports.Select(r => r.Elapsed), reports.Select(r => r.Elapsed).Order());
        Assert.All(reports.SkipLast(1), r => Assert.Equal(r.Elapsed * ((6.0 - r.Step) / r.Step), r.Remaining));
        Assert.All(reports, r => Assert.True(r.ImagesPerSecond > 0));
        Assert.Equal(TimeSpan.Zero, reports[^1].Remaining);
        Assert.Equal(3, log.Count(m => m.Contains("DINO: epoch", StringComparison.Ordinal)));
        Assert.Contains(log, m => m.Contains("DINO: 10 images, batch 5, 6 steps", StringComparison.Ordinal)
            && m.Contains("CPU, as asked", StringComparison.Ordinal));
    }

    [Fact]
    public void Short_runs_shorten_every_warm_up_and_say_so()
    {
        using var model = ml.SelfSupervised().Dino(TinyTraining.MaskedDino().With(o => (o.Epochs, o.BatchSize) = (10, 10)))
            .Fit(scenes.LoadWithMasks(ml));
        string[] expected =
        [
            "WarmupTeacherTemperatureEpochs is 3, not 30: at most 30% of 10 epochs.",
            "FreezeBiasEpochs is 3, not 100: at most 33% of 10 epochs.",
            "WarmupEpochs is 1, not 10: at most 10% of 10 epochs.",
        ];
        Assert.Equal(expected.Order(), model.Report.Adjustments.Order());

        using var plain = ml.SelfSupervised().Dino(TinyTraining.Dino().With(o =>
            (o.WarmupEpochs, o.WarmupTeacherTemperatureEpochs) = (0, 0))).Fit(scenes.Load(ml));
        Assert.Empty(plain.Report.Adjustments);
    }

    [Fact]
    public void A_run_that_diverges_stops_and_says_where()
    {
        var options = TinyTraining.Dino().With(o =>
            (o.Epochs, o.LearningRate, o.WarmupEpochs, o.StudentTemperature) = (20, 1000, 0, 1e-38));
        var error = Assert.Throws<TrainingDivergedException>(() => ml.SelfSupervised().Dino(options).Fit(scenes.Load(ml)));
        Assert.Matches("^DINO diverged: the (loss|gradient's norm) is .* at step [0-9]+ of epoch [0-9]+", error.Message);
        Assert.EndsWith(" or lower ClipGradient.", error.Message);
    }

    [Fact]
    public void The_fitted_model_embeds_with_the_masks_it_was_trained_with_and_knows_its_schema()
    {
        var data = scenes.LoadWithMasks(ml);
        var estimator = ml.SelfSupervised().Dino(TinyTraining.MaskedDino().With(o => o.MaskBias.InitialValue = 3));
        using var model = estimator.Fit(data);
        var features = model.Transform(data).GetColumn<float[]>("Features").ToList();
        var bare = scenes.Rows();
        bare.ForEach(row => row.Masks = []);
        var without = model.Transform(ml.Data.LoadFromEnumerable(bare)).GetColumn<float[]>("Features").ToList();
        Assert.Equal(24, ((VectorDataViewType)model.GetOutputSchema(data.Schema)["Features"].Type).Size);
        Assert.All(Pairs.Of(features, without), pair => Assert.True(Pairs.Of(pair.First, pair.Second).Max(p => Math.Abs(p.First - p.Second)) > 1e-4));
    }

    private sealed class Reports : List<TrainingProgress>, IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => Add(value);
    }
}
