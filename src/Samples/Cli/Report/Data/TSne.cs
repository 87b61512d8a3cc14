namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>
/// t-SNE (van der Maaten and Hinton, JMLR 2008) with all pairs, started from the principal components (Kobak and Berens, Nature
/// Communications 2019): neighbours stay neighbours, while distances between groups mean little.
/// </summary>
internal static class TSne
{
    private const double Perplexity = 30, Exaggeration = 12, StartDeviation = 1e-4, SmallestGain = 0.01;
    private const int Steps = 750, ExaggeratedSteps = 250;

    /// <summary>Places points in a plane.</summary>
    /// <param name="similarities">Cosine similarities of all pairs; the squared distance of unit vectors is 2 − 2s.</param>
    /// <param name="start">Coordinates to start from, [n][2].</param>
    /// <param name="seed">Draws the tiny noise that parts points which start in one place.</param>
    /// <param name="progress">Told of the steps done.</param>
    /// <returns>[n][2], centred.</returns>
    public static double[][] Place(Similarities similarities, IReadOnlyList<float[]> start, int seed, IProgress<string>? progress = null)
    {
        int n = similarities.Count;
        float[][] joint = Joint(similarities);
        double[][] points = Start(start, seed);
        double[][] gradients = Rows(n), moves = Rows(n), gains = Rows(n, 1);
        double rate = Math.Max(50, n / Exaggeration / 4);
        for (int step = 0; step < Steps; step++)
        {
            bool isEarly = step < ExaggeratedSteps;
            Gradients(joint, points, gradients, isEarly ? Exaggeration : 1);
            for (int i = 0; i < n; i++)
            {
                for (int d = 0; d < 2; d++)
                {
                    gains[i][d] = Math.Max(SmallestGain, moves[i][d] * gradients[i][d] < 0 ? gains[i][d] + 0.2 : gains[i][d] * 0.8);
                    moves[i][d] = (isEarly ? 0.5 : 0.8) * moves[i][d] - rate * gains[i][d] * gradients[i][d];
                    points[i][d] += moves[i][d];
                }
            }
            Center(points);
            if ((step + 1) % ExaggeratedSteps == 0) progress?.Report(FormattableString.Invariant($"map: step {step + 1} of {Steps}"));
        }
        return points;
    }

    // p(i, j) = (p(j|i) + p(i|j)) / 2n, each p(·|i) as wide as the perplexity asks for.
    private static float[][] Joint(Similarities similarities)
    {
        int n = similarities.Count;
        double perplexity = Math.Max(1, Math.Min(Perplexity, (n - 1) / 3.0));
        var conditional = new double[n][];
        Parallel.For(0, n, i => conditional[i] = Conditional(similarities, i, Math.Log(perplexity)));
        var joint = new float[n][];
        Parallel.For(0, n, i => joint[i] = [.. Enumerable.Range(0, n).Select(j => Pair(i, j))]);
        return joint;

        float Pair(int i, int j) => (float)Math.Max((conditional[i][j] + conditional[j][i]) / (2.0 * n), 1e-12);
    }

    // p(j|i) ∝ exp(−d²/2σ²): bisection on 1/2σ² until the entropy is the one that is wanted.
    private static double[] Conditional(Similarities similarities, int i, double entropy)
    {
        int n = similarities.Count;
        double nearest = double.PositiveInfinity;
        for (int j = 0; j < n; j++)
        {
            if (j != i) nearest = Math.Min(nearest, Distance(j));
        }
        double[] p = new double[n];
        double precision = 1, least = 0, most = double.PositiveInfinity;
        for (int attempt = 0; attempt < 64; attempt++)
        {
            double sum = 0, mean = 0;
            for (int j = 0; j < n; j++)
            {
                double excess = Distance(j) - nearest;              // relative to the nearest: large precisions stay finite
                p[j] = j == i ? 0 : Math.Exp(-precision * excess);
                sum += p[j];
                mean += p[j] * excess;
            }
            double found = Math.Log(sum) + precision * mean / sum;
            for (int j = 0; j < n; j++) p[j] /= sum;
            if (Math.Abs(found - entropy) < 1e-5) break;
            if (found > entropy) (least, precision) = (precision, double.IsInfinity(most) ? precision * 2 : (precision + most) / 2);
            else (most, precision) = (precision, (precision + least) / 2);
        }
        return p;

        double Distance(int j) => Math.Max(0, 2 - 2.0 * similarities[i, j]);
    }

    // 4 Σ (p − q)(y_i − y_j) / (1 + |y_i − y_j|²), q being the same of Student's t. Each row's sums are its own: the order never varies.
    private static void Gradients(float[][] joint, double[][] points, double[][] gradients, double exaggeration)
    {
        int n = points.Length;
        var repulsion = new (double X, double Y, double Sum)[n];
        Parallel.For(0, n, i =>
        {
            double attractX = 0, attractY = 0, repelX = 0, repelY = 0, sum = 0, x = points[i][0], y = points[i][1];
            float[] p = joint[i];
            for (int j = 0; j < n; j++)
            {
                double dx = x - points[j][0], dy = y - points[j][1], q = 1 / (1 + dx * dx + dy * dy), pull = p[j] * q, push = q * q;
                attractX += pull * dx;
                attractY += pull * dy;
                repelX += push * dx;
                repelY += push * dy;
                sum += q;
            }
            (gradients[i][0], gradients[i][1]) = (attractX, attractY);
            repulsion[i] = (repelX, repelY, sum - 1);                // without the pair of i and i
        });
        double total = Math.Max(repulsion.Sum(r => r.Sum), 1e-300);
        for (int i = 0; i < n; i++)
        {
            gradients[i][0] = 4 * (exaggeration * gradients[i][0] - repulsion[i].X / total);
            gradients[i][1] = 4 * (exaggeration * gradients[i][1] - repulsion[i].Y / total);
        }
    }

    private static double[][] Start(IReadOnlyList<float[]> start, int seed)
    {
        var random = new Random(seed);
        double deviation = Math.Max(Math.Sqrt(start.Average(row => (double)row[0] * row[0])), 1e-12);
        return [.. start.Select(row => new[] { Scaled(row[0]), Scaled(row[1]) })];

        double Scaled(double value) => StartDeviation * (value / deviation + 0.01 * (random.NextDouble() - 0.5));
    }

    private static void Center(double[][] points)
    {
        double x = points.Average(p => p[0]), y = points.Average(p => p[1]);
        foreach (double[] point in points) (point[0], point[1]) = (point[0] - x, point[1] - y);
    }

    private static double[][] Rows(int n, double value = 0) => [.. Enumerable.Range(0, n).Select(_ => new[] { value, value })];
}
