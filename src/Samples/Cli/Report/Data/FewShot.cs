namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>How accurate a classifier is where few images of each class have a label.</summary>
internal static class FewShot
{
    /// <summary>Draws of the labelled images, over which accuracies are averaged.</summary>
    public const int Draws = 5;

    private static readonly int[] Steps = [1, 2, 5, 10, 20, 50, 100, 200];

    /// <summary>Labels per class that can be tried: at most half of the images of a class of middle size.</summary>
    public static int[] Shots(IReadOnlyList<int> classes)
    {
        int[] sizes = [.. classes.Where(c => c >= 0).GroupBy(c => c).Select(group => group.Count()).Order()];
        return sizes.Length < 2 ? [] : [.. Steps.Where(shots => shots <= sizes[sizes.Length / 2] / 2)];
    }

    /// <summary>Measures every number of labels on the same images, which are none of those drawn.</summary>
    /// <param name="classify">Gives the class of images, the second argument, from those whose class is known, the first.</param>
    /// <param name="classes">The class of each image; −1 where it has none.</param>
    /// <param name="shots">Labels per class, ascending.</param>
    /// <param name="seed">Of the draws.</param>
    /// <returns>For each number the accuracy of every draw.</returns>
    public static double[][] Measure(Func<int[], int[], int[]> classify, IReadOnlyList<int> classes, int[] shots, int seed)
    {
        var accuracies = shots.Select(_ => new double[Draws]).ToArray();
        for (int draw = 0; draw < Draws; draw++)
        {
            var random = new Random(unchecked(seed * 31 + draw));
            var groups = Enumerable.Range(0, classes.Count).Where(i => classes[i] >= 0).GroupBy(i => classes[i]).OrderBy(group => group.Key)
                .Select(group =>
                {
                    int[] images = [.. group];
                    random.Shuffle(images);
                    return images;
                }).ToList();
            int[] tested = [.. groups.SelectMany(images => images[Labelled(images, shots[^1])..])];
            for (int s = 0; s < shots.Length; s++)
            {
                int[] known = [.. groups.SelectMany(images => images[..Labelled(images, shots[s])])];
                int right = classify(known, tested).Zip(tested).Count(answer => answer.First == classes[answer.Second]);
                accuracies[s][draw] = right / (double)tested.Length;
            }
        }
        return accuracies;
    }

    // A class keeps one image to be tested on, unless it has no other.
    private static int Labelled(int[] images, int shots) => Math.Min(shots, Math.Max(1, images.Length - 1));
}
