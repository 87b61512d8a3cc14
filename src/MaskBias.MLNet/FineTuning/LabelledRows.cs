using MaskBias.MLNet.Training.Data;

namespace MaskBias.MLNet.FineTuning;

/// <summary>The rows whose classes are learned from: all that have one, or a few-shot subset of them.</summary>
internal static class LabelledRows
{
    /// <summary>Row numbers, ascending; a subset is read from its file, or drawn and written to it.</summary>
    /// <param name="classes">The class of every row; −1 where it is missing.</param>
    /// <param name="options">The share of them and the file.</param>
    /// <param name="seed">The same seed draws the same rows.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or names a row that is not there or has no class.</exception>
    public static long[] Choose(int[] classes, FineTuneOptions options, int seed)
    {
        if (options.LabelSubsetPath is not { } path || !File.Exists(path))
        {
            long[] drawn = options.LabelFraction == 1 && options.LabelSubsetPath is null
                ? [.. Enumerable.Range(0, classes.Length).Where(i => classes[i] >= 0)]
                : [.. StratifiedSplit.Few(classes, options.LabelFraction, seed)];
            if (options.LabelSubsetPath is { } target) LabelSubset.Write(target, drawn);
            return drawn;
        }
        var rows = LabelSubset.Read(path);
        foreach (long row in rows)
        {
            if (row >= classes.Length || classes[row] < 0)
            {
                string fault = row >= classes.Length ? $"is not among the {classes.Length} rows" : "has no class";
                throw new InvalidDataException($"{path} names row {row}, which {fault}.");
            }
        }
        return [.. rows.Order()];
    }
}
