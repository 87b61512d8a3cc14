using MaskBias.MLNet.NearestNeighbors;
using Xunit;

namespace MaskBias.MLNet.Tests.NearestNeighbors;

public class NearestNeighborClassifierTests
{
    [Fact]
    public void Scores_are_the_neighbours_weighted_votes()
    {
        // cosines to (1, 0): 1, 0.6, 0, -1; lengths do not matter
        float[][] train = [[5, 0], [0.6f, 0.8f], [0, 2], [-1, 0]];
        var classifier = new NearestNeighborClassifier(train, [0, 1, 1, 2], classes: 3, k: 3, temperature: 0.5);
        var scores = new float[3];
        classifier.Score([10, 0], scores);

        double a = Math.Exp(1 / 0.5), b = Math.Exp(0.6 / 0.5) + Math.Exp(0);
        Assert.Equal(a / (a + b), scores[0], 1e-6);
        Assert.Equal(b / (a + b), scores[1], 1e-6);
        Assert.Equal(0, scores[2]);
    }

    [Fact]
    public void Only_the_k_nearest_vote_and_more_than_there_are_means_all()
    {
        float[][] train = [[1, 0], [0.9f, 0.1f], [0.8f, 0.2f], [0, 1]];
        var scores = new float[2];
        new NearestNeighborClassifier(train, [0, 1, 1, 1], 2, k: 1, 1).Score([1, 0], scores);
        Assert.Equal([1, 0], scores);
        new NearestNeighborClassifier(train, [0, 1, 1, 1], 2, k: 1000, 1).Score([1, 0], scores);
        Assert.True(scores[1] > scores[0]);
    }

    [Fact]
    public void Small_temperatures_stay_finite_and_what_is_not_has_no_class()
    {
        var classifier = new NearestNeighborClassifier([[1, 0], [0, 1]], [0, 1], 2, 2, temperature: 0.001);
        var scores = new float[2];
        classifier.Score([1, 0.01f], scores);
        Assert.Equal([1, 0], scores);
        foreach (float value in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            classifier.Score([value, 1], scores);
            Assert.Equal(-1, NearestNeighborClassifier.Predict(scores));
        }
    }

    [Fact]
    public void Accuracy_agrees_with_a_plain_computation()
    {
        var random = new Random(7);
        float[][] Draw(int count) => Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, 8).Select(_ => (float)(random.NextDouble() * 2 - 1)).ToArray()).ToArray();
        int[] Label(float[][] rows) => rows.Select(r => (r[0] > 0 ? 1 : 0) + (r[1] > 0 ? 2 : 0)).ToArray();
        var (train, test) = (Draw(300), Draw(100));
        var (trainLabels, testLabels) = (Label(train), Label(test));

        int right = 0;
        for (int i = 0; i < test.Length; i++)
        {
            var votes = new double[4];
            foreach (var (similarity, label) in train.Select((t, j) => (Cosine(t, test[i]), trainLabels[j])).OrderByDescending(p => p.Item1).Take(10))
                votes[label] += Math.Exp(similarity / 0.07);
            if (Array.IndexOf(votes, votes.Max()) == testLabels[i]) right++;
        }
        Assert.InRange(right, 50, 99);
        Assert.Equal(right / 100.0, NearestNeighborClassifier.Accuracy(train, trainLabels, test, testLabels, 10, 0.07));
    }

    [Fact]
    public void Nothing_to_vote_is_an_error()
    {
        Assert.Contains("There is no training row with a class", Assert.Throws<ArgumentException>(() => new NearestNeighborClassifier([], [], 2, 1, 1)).Message);
        Assert.Throws<ArgumentException>(() => new NearestNeighborClassifier([[1]], [0], 1, 1, 1).Score([1, 2], new float[1]));
    }

    private static double Cosine(float[] a, float[] b) =>
        a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(x => (double)x * x));
}
