using System.Globalization;
using MaskBias.MLNet.Experiments.Output;

namespace MaskBias.MLNet.Experiments.LabelEfficiency;

/// <summary>Draws accuracy over the number of labels, on a logarithmic scale.</summary>
internal static class LabelEfficiencyPlot
{
    private const int Width = 760, Height = 460, Left = 64, Right = 24, Top = 64, Bottom = 72, Lines = 5;
    private const string Pretrained = "#2166ac", Random = "#b2182b", Grid = "#e4e4e4", Ink = "#1e1e1e";

    public static void Write(string path, LabelEfficiencyReport report)
    {
        using var picture = new SvgPicture(Width, Height, "Accuracy against the number of labels");
        picture.Text($"{report.Candidate}: accuracy on {report.HeldOut} images held out, by number of labels", Left, 28, bold: true);
        double low = Math.Log(report.Points.Min(p => p.Labels)), high = Math.Log(report.Points.Max(p => p.Labels));
        for (int i = 0; i <= Lines; i++)
        {
            double value = (double)i / Lines;
            picture.Line(Left, Y(value), Width - Right, Y(value), i == 0 ? Ink : Grid);
            picture.Text(Format($"{100 * value:0}%"), Left - 8, Y(value) + 4, "end");
        }
        foreach (var point in report.Points)
        {
            picture.Line(X(point), Height - Bottom, X(point), Height - Bottom + 5, Ink);
            picture.Text(Format($"{point.Labels}"), X(point), Height - Bottom + 20, "middle");
            picture.Text(Format($"{100 * point.Fraction:0.##}%"), X(point), Height - Bottom + 36, "middle", "#6a6a6a");
        }
        picture.Text("labels, and their share", (Left + Width - Right) / 2.0, Height - 14, "middle");
        Draw(Random, p => p.Random, p => p.RandomDeviation);
        Draw(Pretrained, p => p.Pretrained, p => p.PretrainedDeviation);
        Legend("pretrained encoder", Pretrained, Left);
        Legend("random encoder", Random, Left + 180);
        picture.Save(path);

        void Draw(string color, Func<LabelEfficiencyPoint, double> mean, Func<LabelEfficiencyPoint, double> deviation)
        {
            var upper = report.Points.Select(p => (X(p), Y(mean(p) + deviation(p))));
            var lower = report.Points.Reverse().Select(p => (X(p), Y(mean(p) - deviation(p))));
            picture.Area(upper.Concat(lower), color);
            picture.Curve(report.Points.Select(p => (X(p), Y(mean(p)))), color, 2.5);
            foreach (var p in report.Points) picture.Dot(X(p), Y(mean(p)), 4, color);
        }

        void Legend(string text, string color, double x)
        {
            picture.Line(x, 48, x + 28, 48, color, 2.5);
            picture.Text(text, x + 36, 52);
        }

        double X(LabelEfficiencyPoint p) =>
            high > low ? Left + 24 + (Math.Log(p.Labels) - low) / (high - low) * (Width - Left - Right - 48) : (Left + Width - Right) / 2.0;

        double Y(double value) => Height - Bottom - Math.Clamp(value, 0, 1) * (Height - Top - Bottom);
    }

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
