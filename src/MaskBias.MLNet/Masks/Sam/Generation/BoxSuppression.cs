namespace MaskBias.MLNet.Masks.Sam.Generation;

/// <summary>Non-maximum suppression: of boxes that overlap, the one with the highest score stays.</summary>
internal static class BoxSuppression
{
    /// <summary>Indices of the boxes that stay, the highest score first; equal scores keep their order.</summary>
    /// <param name="boxes">The boxes.</param>
    /// <param name="scores">One score per box.</param>
    /// <param name="threshold">
    /// Boxes with a larger intersection over union with one that stays are dropped. A box without area drops none.
    /// </param>
    public static List<int> Keep(
        IReadOnlyList<(float Left, float Top, float Right, float Bottom)> boxes, IReadOnlyList<float> scores, double threshold)
    {
        int[] order = [.. Enumerable.Range(0, boxes.Count).OrderByDescending(i => scores[i])];
        float[] areas = [.. boxes.Select(b => (b.Right - b.Left) * (b.Bottom - b.Top))];
        bool[] dropped = new bool[boxes.Count];
        var kept = new List<int>();
        for (int i = 0; i < order.Length; i++)
        {
            int first = order[i];
            if (dropped[first]) continue;
            kept.Add(first);
            var a = boxes[first];
            for (int j = i + 1; j < order.Length; j++)
            {
                int second = order[j];
                if (dropped[second]) continue;
                var b = boxes[second];
                float width = Math.Max(0, Math.Min(a.Right, b.Right) - Math.Max(a.Left, b.Left));
                float height = Math.Max(0, Math.Min(a.Bottom, b.Bottom) - Math.Max(a.Top, b.Top));
                float shared = width * height;
                dropped[second] = shared / (areas[first] + areas[second] - shared) > threshold;
            }
        }
        return kept;
    }
}
