using System.Globalization;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.FineTuning;

/// <summary>The rows of a data view whose classes are used in few-shot training: text, one row number per line, counted from 0.</summary>
public static class LabelSubset
{
    private const long MaxBytes = 256 << 20;

    /// <summary>Writes the rows, each on a line of its own; a file of that name is replaced as a whole.</summary>
    public static void Write(string path, IEnumerable<long> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
            foreach (long row in rows) writer.WriteLine(row.ToString(CultureInfo.InvariantCulture));
        });
    }

    /// <summary>Reads the rows.</summary>
    /// <exception cref="InvalidDataException">A line is no row number, a row comes twice, or the file is too large.</exception>
    public static IReadOnlyList<long> Read(string path)
    {
        using var lines = new StreamReader(BoundedFile.Open(path, MaxBytes, "a list of rows"));
        var (rows, seen, number) = (new List<long>(), new HashSet<long>(), 0);
        while (lines.ReadLine() is { } line)
        {
            number++;
            if (!long.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out long row))
                throw new InvalidDataException($"{path}, line {number}: '{line}' is no row number.");
            if (!seen.Add(row)) throw new InvalidDataException($"{path}, line {number}: row {row} is there twice.");
            rows.Add(row);
        }
        return rows;
    }
}
