using System.Globalization;
using System.Text;

namespace MaskBias.MLNet.Samples.Cli.Study.Pages;

/// <summary>A page of Markdown, written part by part.</summary>
internal sealed class Markdown
{
    private readonly StringBuilder text = new();

    public Markdown Heading(int level, string title) => Line($"{new string('#', level)} {title}").Line("");

    public Markdown Paragraph(string paragraph) => Line(paragraph).Line("");

    public Markdown List(IEnumerable<string> items)
    {
        foreach (string item in items) Line($"- {item}");
        return Line("");
    }

    /// <summary>A table; nothing where it has no rows.</summary>
    public Markdown Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.ToList();
        if (all.Count == 0) return this;
        Row(columns);
        Row([.. columns.Select(_ => "---")]);
        foreach (var row in all) Row(row);
        return Line("");
    }

    public Markdown Picture(string file, string alt) =>
        Line($"![{alt.Replace("]", "", StringComparison.Ordinal)}](pictures/{file}.png)").Line("");

    public override string ToString() => text.ToString().TrimEnd('\n') + "\n";

    /// <summary>A share as per cent, with one decimal.</summary>
    public static string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>A difference of shares in points, with its sign.</summary>
    public static string Points(double share) => (100 * share).ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture);

    /// <summary>A number as it is read, with a few figures.</summary>
    public static string Number(double value) =>
        value.ToString(Math.Abs(value) >= 100 ? "#,0" : "0.###;-0.###;0", CultureInfo.InvariantCulture);

    private Markdown Row(IEnumerable<string> cells) =>
        Line($"| {string.Join(" | ", cells.Select(c => c.Replace("|", "\\|", StringComparison.Ordinal)))} |");

    private Markdown Line(string line)
    {
        text.Append(line).Append('\n');
        return this;
    }
}
