using MaskBias.MLNet.NearestNeighbors;
using MaskBias.MLNet.Samples.Cli.Report.Data;

namespace MaskBias.MLNet.Tests.Samples.Report;

/// <summary>The numbers behind a report.</summary>
public sealed class ReportDataTests
{
    private const int Groups = 3, PerGroup = 40;

    [Fact]
    public void The_map_keeps_groups_apart_and_is_the_same_for_the_same_seed()
    {
        var (features, classes) = Clusters(noise: 0.5);
        var similarities = new Similarities(features);
        double[][] map = TSne.Place(similarities, PrincipalComponents.Of(features, 2), seed: 1);
        int alike = Enumerable.Range(0, map.Length).Count(i => classes[Nearest(i)] == classes[i]);
        Assert.True(alike >= 0.98 * map.Length, $"{alike} of {map.Length} points lie beside one of their group");
        Assert.Equal(map, TSne.Place(similarities, PrincipalComponents.Of(features, 2), seed: 1));

        int Nearest(int i) => Enumerable.Range(0, map.Length).Where(j => j != i).MinBy(j => Distance(map[i], map[j]));

        static double Distance(double[] one, double[] other) => Math.Pow(one[0] - other[0], 2) + Math.Pow(one[1] - other[1], 2);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(60)]
    public void Images_that_are_all_the_same_have_a_map_too(int count)
    {
        float[][] features = [.. Enumerable.Range(0, count).Select(_ => new float[] { 1, 0, 0 })];
        double[][] map = TSne.Place(new(features), PrincipalComponents.Of(features, 2), seed: 1);
        Assert.All(map, point => Assert.True(double.IsFinite(point[0]) && double.IsFinite(point[1])));
    }

    [Fact]
    public void Neighbours_vote_as_in_the_librarys_classifier()
    {
        var (features, classes) = Clusters(noise: 3.5);
        var similarities = new Similarities(features);
        int[] left = similarities.LeaveOneOut(classes);
        float[] scores = new float[Groups];
        for (int i = 0; i < features.Length; i++)
        {
            var others = Enumerable.Range(0, features.Length).Where(j => j != i).ToList();
            var classifier = new NearestNeighborClassifier(
                [.. others.Select(j => features[j])], [.. others.Select(j => classes[j])], Groups, k: 20, temperature: 0.07);
            classifier.Score(features[i], scores);
            Assert.Equal(NearestNeighborClassifier.Predict(scores), left[i]);
        }
        Assert.InRange(left.Zip(classes).Count(p => p.First == p.Second), PerGroup, Groups * PerGroup - 1);
    }

    [Fact]
    public void Images_without_a_class_neither_vote_nor_are_measured()
    {
        var (features, classes) = Clusters(noise: 0.1);
        int[] some = [.. classes.Select((c, i) => i % 2 == 0 ? c : -1)];
        int[] left = new Similarities(features).LeaveOneOut(some);
        Assert.All(Enumerable.Range(0, left.Length), i => Assert.Equal(some[i], left[i]));
    }

    [Fact]
    public void Few_labels_suffice_where_classes_lie_apart_and_many_do_not_where_there_are_none()
    {
        var (features, classes) = Clusters(noise: 0.1);
        var similarities = new Similarities(features);
        int[] shots = FewShot.Shots(classes);
        Assert.Equal([1, 2, 5, 10, 20], shots);
        Assert.All(Accuracies(classes, linear: false).Concat(Accuracies(classes, linear: true)),
            draws => Assert.All(draws, accuracy => Assert.Equal(1, accuracy)));

        int[] mixed = [.. classes];
        new Random(5).Shuffle(mixed);
        Assert.InRange(Accuracies(mixed, linear: false)[^1].Average(), 0.15, 0.55);
        Assert.InRange(Accuracies(mixed, linear: true)[^1].Average(), 0.15, 0.55);
        Assert.Empty(FewShot.Shots([0, 0, 0, -1, -1]));
        Assert.Equal([1], FewShot.Shots([0, 0, 1, 1]));

        double[][] Accuracies(int[] of, bool linear) => FewShot.Measure(
            linear ? (known, asked) => LinearLayer.Predict(features, of, known, asked) : (known, asked) => similarities.Votes(known, asked, of),
            of, shots, seed: 1);
    }

    [Fact]
    public void A_long_curve_has_a_bounded_number_of_points_with_the_same_mean()
    {
        var curve = new Curve();
        for (int step = 1; step <= 100_000; step++) curve.Add(step, step % 7 == 0 ? double.NaN : step);
        Assert.InRange(curve.Points.Count, 500, 1024);
        Assert.Equal(100_000, curve.Last);
        Assert.All(curve.Points, point => Assert.Equal(point.Step, point.Value, 6));
        Assert.Equal(curve.Points.OrderBy(p => p.Step), curve.Points);
    }

    [Fact]
    public void Principal_components_are_the_directions_of_largest_variance()
    {
        float[][] rows = [.. Enumerable.Range(0, 20).Select(i => new[] { 3f * (i - 9.5f), i % 4 is 0 or 3 ? 1f : -1f, 5f })];
        float[][] found = PrincipalComponents.Of(rows, 4);
        Assert.All(Enumerable.Range(0, 20), i =>
        {
            Assert.Equal(rows[i][0], found[i][0], 0.1f);
            Assert.Equal(Math.Abs(rows[i][1]), Math.Abs(found[i][1]), 0.1f);
            Assert.Equal(0, found[i][2], 1e-3f);
            Assert.Equal(0, found[i][3]);
        });
    }

    [Fact]
    public void Without_the_place_features_have_no_mean_at_any_place()
    {
        var random = new Random(1);
        float[][][] images = [.. Enumerable.Range(0, 4).Select(_ => Enumerable.Range(0, 9).Select(p => new[] { p + random.NextSingle(), 1 }).ToArray())];
        float[][][] left = PatchFeatures.WithoutPlace(images);
        for (int p = 0; p < 9; p++) Assert.Equal(0, left.Average(image => image[p][0]), 1e-5);
        Assert.Equal(images[1][3][0] - images[2][3][0], left[1][3][0] - left[2][3][0], 1e-5);
    }

    private static (float[][] Features, int[] Classes) Clusters(double noise)
    {
        var random = new Random(7);
        int[] classes = [.. Enumerable.Range(0, Groups * PerGroup).Select(i => i % Groups)];
        return ([.. classes.Select(c => Unit([.. Enumerable.Range(0, 12).Select(d => Value(d % Groups == c ? 1 : 0))]))], classes);

        float Value(double mean) => (float)(mean + noise * (random.NextDouble() - 0.5));
    }

    private static float[] Unit(float[] row)
    {
        float norm = MathF.Sqrt(row.Sum(v => v * v));
        return [.. row.Select(v => v / norm)];
    }
}
