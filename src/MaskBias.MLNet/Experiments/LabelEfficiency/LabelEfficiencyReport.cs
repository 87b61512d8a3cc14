using System.Globalization;
using System.Text;

namespace MaskBias.MLNet.Experiments.LabelEfficiency;

/// <summary>
/// Accuracy against the number of labels, with an encoder and with one that has learned nothing: whether pretraining pays on these images.
/// </summary>
public sealed record LabelEfficiencyReport
{
    /// <summary>What was reached, by growing number of labels.</summary>
    public required IReadOnlyList<LabelEfficiencyPoint> Points { get; init; }

    /// <summary>Rows that were held out and measured.</summary>
    public required int HeldOut { get; init; }

    /// <summary>What learned.</summary>
    public required string Candidate { get; init; }

    /// <summary>The seed.</summary>
    public required int Seed { get; init; }

    /// <summary>Writes the points as CSV. An older file is replaced as a whole.</summary>
    public void WriteCsv(string path)
    {
        var text = new StringBuilder("Fraction,Labels,Pretrained,PretrainedDeviation,Random,RandomDeviation\r\n");
        foreach (var p in Points)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"{p.Fraction},{p.Labels},{p.Pretrained:0.####},{p.PretrainedDeviation:0.####},{p.Random:0.####},{p.RandomDeviation:0.####}\r\n");
        }
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>Writes the picture, as SVG: both curves over the number of labels, with their deviation as bands.</summary>
    public void WritePlot(string path) => LabelEfficiencyPlot.Write(path, this);

    /// <summary>A line for each point.</summary>
    public override string ToString() => string.Join('\n', Points.Select(p => string.Create(CultureInfo.InvariantCulture,
        $"{p.Labels} labels ({p.Fraction:0.##%}): {p.Pretrained:0.0%} ± {p.PretrainedDeviation:0.0%} pretrained, "
        + $"{p.Random:0.0%} ± {p.RandomDeviation:0.0%} random")));
}
