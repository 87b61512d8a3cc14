using System.Numerics.Tensors;

namespace MaskBias.MLNet.NearestNeighbors;

/// <summary>
/// The weighted nearest-neighbour classifier that DINO evaluates features with (Wu et al., CVPR 2018; Caron et al., ICCV 2021): the k
/// training rows of largest cosine similarity s vote for their classes with weight exp(s/T).
/// </summary>
/// <remarks>Immutable and thread-safe.</remarks>
internal sealed class NearestNeighborClassifier
{
    private readonly float[][] train;       // unit length
    private readonly int[] labels;
    private readonly int neighbours;
    private readonly double temperature;

    /// <param name="features">One row of finite numbers per example, all of one length; copied.</param>
    /// <param name="labels">Classes, 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="k">Neighbours that vote; all rows when there are fewer.</param>
    /// <param name="temperature">T, above 0.</param>
    /// <exception cref="ArgumentException">There is no row, or rows and labels do not fit.</exception>
    public NearestNeighborClassifier(IReadOnlyList<float[]> features, IReadOnlyList<int> labels, int classes, int k, double temperature)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(temperature);
        if (features.Count == 0)
            throw new ArgumentException("There is no training row with a class; nearest neighbours need at least one.", nameof(features));
        CheckPairs(features.Count, labels.Count);
        train = [.. features.Select(Unit)];
        this.labels = [.. labels];
        (Classes, neighbours, this.temperature) = (classes, Math.Min(k, train.Length), temperature);
    }

    public int Classes { get; }

    /// <summary>Length of the feature vectors.</summary>
    public int FeatureDim => train[0].Length;

    /// <summary>The training rows, of unit length.</summary>
    public IReadOnlyList<float[]> Rows => train;

    /// <summary>The class of each training row.</summary>
    public IReadOnlyList<int> Labels => labels;

    /// <summary>Neighbours that vote.</summary>
    public int Neighbours => neighbours;

    /// <summary>T.</summary>
    public double Temperature => temperature;

    /// <summary>The share of the votes that each class gets; they sum to 1.</summary>
    /// <param name="features">One row. Features that are not finite have no neighbours: every score is NaN.</param>
    /// <param name="scores">Receives one number per class.</param>
    public void Score(ReadOnlySpan<float> features, Span<float> scores)
    {
        if (features.Length != FeatureDim)
            throw new ArgumentException($"The features have {features.Length} values; the training rows had {FeatureDim}.", nameof(features));
        float[] query = Unit(features);
        if (!query.All(float.IsFinite))
        {
            scores.Fill(float.NaN);
            return;
        }
        var nearest = Nearest(query);
        double best = nearest.Max(n => n.Similarity);
        Span<double> votes = Classes <= 256 ? stackalloc double[Classes] : new double[Classes];
        votes.Clear();
        double sum = 0;
        foreach (var (similarity, label) in nearest)
        {
            double weight = Math.Exp((similarity - best) / temperature);      // relative to the nearest: small temperatures stay finite
            votes[label] += weight;
            sum += weight;
        }
        for (int c = 0; c < Classes; c++) scores[c] = (float)(votes[c] / sum);
    }

    /// <summary>Share of test rows whose class gets the most votes.</summary>
    public static double Accuracy(float[][] train, int[] trainLabels, float[][] test, int[] testLabels, int k, double temperature)
    {
        if (test.Length == 0) throw new ArgumentException("There is no test row.", nameof(test));
        CheckPairs(test.Length, testLabels.Length);
        int classes = Math.Max(trainLabels.DefaultIfEmpty().Max(), testLabels.Max()) + 1;
        var classifier = new NearestNeighborClassifier(train, trainLabels, classes, k, temperature);
        int right = 0;
        Parallel.For(0, test.Length, () => (Scores: new float[classifier.Classes], Right: 0), (i, _, state) =>
        {
            classifier.Score(test[i], state.Scores);
            return (state.Scores, state.Right + (Predict(state.Scores) == testLabels[i] ? 1 : 0));
        }, state => Interlocked.Add(ref right, state.Right));
        return (double)right / test.Length;
    }

    /// <summary>The class of the largest score, the first of equals; -1 where scores are NaN.</summary>
    public static int Predict(ReadOnlySpan<float> scores)
    {
        int best = -1;
        for (int c = 0; c < scores.Length; c++)
        {
            if (!float.IsNaN(scores[c]) && (best < 0 || scores[c] > scores[best])) best = c;
        }
        return best;
    }

    private List<(float Similarity, int Label)> Nearest(float[] query)
    {
        // The worst of the k best on top; of equally similar rows the earlier one stays.
        var best = new PriorityQueue<int, (float Similarity, int Order)>(neighbours + 1);
        for (int i = 0; i < train.Length; i++)
        {
            float similarity = TensorPrimitives.Dot(query, train[i]);
            if (best.Count < neighbours) best.Enqueue(i, (similarity, -i));
            else if (best.TryPeek(out _, out var worst) && similarity > worst.Similarity) best.EnqueueDequeue(i, (similarity, -i));
        }
        return [.. best.UnorderedItems.OrderBy(n => n.Element).Select(n => (n.Priority.Similarity, labels[n.Element]))];
    }

    private static void CheckPairs(int rows, int labels)
    {
        if (rows != labels) throw new ArgumentException($"{rows} rows of features and {labels} labels do not fit.");
    }

    private static float[] Unit(float[] row) => Unit(row.AsSpan());

    private static float[] Unit(ReadOnlySpan<float> row)
    {
        var unit = row.ToArray();
        float norm = TensorPrimitives.Norm(row);
        TensorPrimitives.Divide(unit, Math.Max(norm, 1e-12f), unit);
        return unit;
    }
}
