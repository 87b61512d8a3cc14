using System.Numerics.Tensors;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>Occlusion sensitivity (Zeiler and Fergus, ECCV 2014): hides one window after the other and watches a class' probability.</summary>
internal static class OcclusionSaliency
{
    private const int BatchSize = 32;

    /// <summary>Measures every patch.</summary>
    /// <param name="encoder">Computes features.</param>
    /// <param name="blocks">Which.</param>
    /// <param name="linear">Classifies them.</param>
    /// <param name="image">The image.</param>
    /// <param name="index">The class, or −1 for the predicted one.</param>
    /// <param name="window">Side of what is hidden, in patches.</param>
    public static (double[] Values, int Class, double Probability) Compute(
        VisionEncoder encoder, BlockFeatureOptions? blocks, LinearClassifier linear, RgbImage image, int index, int window)
    {
        int size = encoder.ImageSize, patch = encoder.Model.Options.PatchSize, grid = size / patch, places = grid - window + 1;
        if (window < 1 || places < 1) throw new ArgumentException($"windowPatches is {window}; it must lie in [1, {grid}].");
        int length = 3 * size * size, width = blocks?.Dimension(encoder.Model.Options) ?? encoder.FeatureDim;
        float[] whole = new float[length];
        IsoCropResizer.Resize(image, size, whole);
        float[][] all = Probabilities(whole, 1);
        if (index < 0) index = Array.IndexOf(all[0], all[0].Max());

        var (drops, counts) = (new double[grid * grid], new int[grid * grid]);
        foreach (int[] chunk in Enumerable.Range(0, places * places).Chunk(BatchSize))
        {
            float[] hidden = new float[chunk.Length * length];
            for (int i = 0; i < chunk.Length; i++) Hide(hidden.AsSpan(i * length, length), chunk[i] / places, chunk[i] % places);
            float[][] scores = Probabilities(hidden, chunk.Length);
            for (int i = 0; i < chunk.Length; i++)
            {
                for (int cell = 0; cell < window * window; cell++)
                {
                    int at = (chunk[i] / places + cell / window) * grid + chunk[i] % places + cell % window;
                    drops[at] += all[0][index] - scores[i][index];
                    counts[at]++;
                }
            }
        }
        return ([.. drops.Zip(counts, (drop, count) => drop / count)], index, all[0][index]);

        float[][] Probabilities(float[] pixels, int rows)
        {
            float[] features = new float[rows * width];
            encoder.Embed(pixels, rows, features, blocks: blocks);
            return [.. Enumerable.Range(0, rows).Select(row => Softmax(linear, features.AsSpan(row * width, width)))];
        }

        // The mean colour of the encoder's data, which it sees as zeros.
        void Hide(Span<float> pixels, int row, int column)
        {
            whole.CopyTo(pixels);
            for (int channel = 0; channel < 3; channel++)
            {
                for (int y = row * patch; y < (row + window) * patch; y++)
                    pixels.Slice((channel * size + y) * size + column * patch, window * patch).Fill(255 * encoder.Normalization.Mean[channel]);
            }
        }
    }

    private static float[] Softmax(LinearClassifier linear, ReadOnlySpan<float> features)
    {
        float[] logits = new float[linear.Biases.Length];
        for (int k = 0; k < logits.Length; k++) logits[k] = TensorPrimitives.Dot(linear.Weights[k], features) + linear.Biases[k];
        TensorPrimitives.SoftMax(logits, logits);
        return logits;
    }
}
