using System.Numerics.Tensors;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>Cosine similarities of all pairs of images, and what their nearest neighbours say.</summary>
internal sealed class Similarities
{
    private const int Neighbors = 20;                   // k and T of DINO's evaluation
    private const double Temperature = 0.07;

    private readonly float[][] rows;

    /// <param name="features">A row of unit length per image.</param>
    public Similarities(float[][] features)
    {
        rows = new float[features.Length][];
        Parallel.For(0, features.Length, i => rows[i] = [.. features.Select(other => TensorPrimitives.Dot<float>(features[i], other))]);
    }

    /// <summary>Images.</summary>
    public int Count => rows.Length;

    /// <summary>The similarity of two images, −1 to 1.</summary>
    public float this[int one, int other] => rows[one][other];

    /// <summary>The images most similar to one, without itself, the most similar first; of equals the first.</summary>
    /// <param name="image">The image.</param>
    /// <param name="among">The images to choose from.</param>
    /// <param name="count">How many; all where there are fewer.</param>
    public IReadOnlyList<int> Nearest(int image, IEnumerable<int> among, int count) =>
        [.. among.Where(other => other != image).OrderByDescending(other => rows[image][other]).ThenBy(other => other).Take(count)];

    /// <summary>
    /// The class that an image's neighbours vote for, each with weight exp(s/T) (Wu et al., CVPR 2018); −1 where it has no neighbour.
    /// </summary>
    /// <param name="image">The image, whose own class plays no part.</param>
    /// <param name="among">The images whose classes are known.</param>
    /// <param name="classes">The class of each image.</param>
    public int Vote(int image, IEnumerable<int> among, IReadOnlyList<int> classes)
    {
        var nearest = Nearest(image, among, Neighbors);
        if (nearest.Count == 0) return -1;
        double best = rows[image][nearest[0]];
        return nearest.GroupBy(other => classes[other])
            .OrderByDescending(votes => votes.Sum(other => Math.Exp((rows[image][other] - best) / Temperature))).ThenBy(votes => votes.Key)
            .First().Key;
    }

    /// <summary>The classes that images' neighbours vote for.</summary>
    public int[] Votes(int[] among, int[] images, IReadOnlyList<int> classes) =>
        [.. images.AsParallel().AsOrdered().Select(image => Vote(image, among, classes))];

    /// <summary>What every image is taken for by the others; −1 for one that has no class itself.</summary>
    public int[] LeaveOneOut(IReadOnlyList<int> classes)
    {
        int[] labelled = [.. Enumerable.Range(0, Count).Where(i => classes[i] >= 0)];
        int[] predicted = [.. Enumerable.Repeat(-1, Count)];
        Parallel.ForEach(labelled, i => predicted[i] = Vote(i, labelled, classes));
        return predicted;
    }
}
