using System.Text;
using System.Xml;
using System.Xml.Linq;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Samples.Cli.Report;
using MaskBias.MLNet.Samples.Cli.Report.Page;

namespace MaskBias.MLNet.Tests.Samples.Report;

/// <summary>The page that shows a training run.</summary>
public sealed class ReportTests(ReportRun run) : IClassFixture<ReportRun>, IDisposable
{
    private static readonly XNamespace Html = "http://www.w3.org/1999/xhtml", Svg = "http://www.w3.org/2000/svg";

    private readonly TempFolder folder = new();

    [Fact]
    public void Every_section_of_the_quickstarts_results_is_there()
    {
        var sections = ReportRun.Build(new() { Run = run.Folder, Images = run.Images });
        Assert.All(sections, section => Assert.Null(section.Absent));
        Assert.Equal(
            [
                "DINO: configuration", "Distillation: configuration", "Encoders", "DINO: curves", "Distillation: curves",
                "Weights of the bias, α and β", "Images", "Masks", "Attention", "Features of patches", "Nearest neighbours", "Classes by nearest neighbours", "Map of the images",
                "Accuracy with few labels", "DINO: options", "Distillation: options",
            ], sections.Select(section => section.Title));

        var page = Parse(ReportPage.Write("A run", sections));
        string text = page.Root!.Value;
        foreach (string expected in new[] { "Encoder.EmbedDim", "6 of 6", "student", "phase 1", "untrained", "mask-guided" })
            Assert.Contains(expected, text);
        Assert.Matches("[1-9][0-9]* masks", text);
        string[] drawn = [.. page.Descendants(Svg + "svg").Select(svg => svg.Attribute("aria-label")!.Value)];
        foreach (string curve in new[]
            {
                "loss", "k-NN accuracy", "learning rate", "weight decay", "teacher temperature", "entropy of the teacher",
                "rank of the teacher's features",
            })
            Assert.Contains(drawn, label => label.StartsWith($"DINO: {curve} over 6 steps:", StringComparison.Ordinal));
        Assert.Contains(drawn, label => label.StartsWith("DINO: α per layer and head over 3 checkpoints", StringComparison.Ordinal));
    }

    [Fact]
    public void The_page_is_whole_in_itself_and_tells_what_its_pictures_show()
    {
        byte[] bytes = ReportPage.Write("A run", ReportRun.Build(new() { Run = run.Folder, Images = run.Images, MaxImages = 20 }));
        var page = Parse(bytes);
        Assert.StartsWith("<!DOCTYPE html", Encoding.UTF8.GetString(bytes, 0, 20));
        Assert.Empty(page.Descendants(Html + "script"));
        Assert.All(page.Descendants().Attributes("src"), source => Assert.StartsWith("data:image/png;base64,", source.Value));
        string[] places = [.. page.Descendants().Attributes("id").Select(id => "#" + id.Value)];
        Assert.All(page.Descendants().Attributes("href"), link => Assert.Contains(link.Value, places));
        Assert.All(page.Descendants(Html + "img"), picture => Assert.False(string.IsNullOrWhiteSpace(picture.Attribute("alt")?.Value)));
        Assert.All(page.Descendants(Svg + "svg"), plot =>
        {
            Assert.False(string.IsNullOrWhiteSpace(plot.Attribute("aria-label")?.Value));
            Assert.NotEmpty(plot.Parent!.Descendants(Html + "tbody").Single().Elements());
        });
        Assert.All(page.Descendants(Html + "tr"), row => Assert.NotEmpty(row.Elements()));
        // What HTML would never close must not be written as XML's short form.
        Assert.DoesNotMatch("<(td|th|div|span|p|a|li|dd|dt|style|title)( [^<>]*)?/>", Encoding.UTF8.GetString(bytes));
    }

    [Fact]
    public void A_run_alone_is_shown_and_the_rest_says_why_it_is_not()
    {
        var sections = ReportRun.Build(new() { Run = run.Pretraining });
        Assert.Equal(["DINO: configuration", "Encoders", "DINO: curves", "Weights of the bias, α and β", "DINO: options"], Titles(sections, isAbsent: false));
        Assert.Equal(7, sections.Count(s => s.Absent?.Contains("--images") == true));
        Assert.Contains("--images DIR", Parse(ReportPage.Write("A run", sections)).Root!.Value);
    }

    [Fact]
    public void Images_without_classes_have_no_classes_to_tell_apart()
    {
        string flat = Path.Combine(folder.Path, "flat");
        Directory.CreateDirectory(flat);
        foreach (string file in Directory.GetFiles(run.Images, "*.png", SearchOption.AllDirectories).Take(9))
            File.Copy(file, Path.Combine(flat, $"{Guid.NewGuid():N}.png"));
        File.WriteAllText(Path.Combine(flat, "broken.png"), "no image");
        var sections = ReportRun.Build(new() { Run = run.Pretraining, Images = flat });
        Assert.Equal(["Classes by nearest neighbours", "Accuracy with few labels"], Titles(sections, isAbsent: true));
        Assert.Contains("1 of them cannot be read", Parse(ReportPage.Write("A run", sections)).Root!.Value);
    }

    [Fact]
    public void A_run_that_has_only_begun_is_shown_as_far_as_it_is()
    {
        File.Copy(Path.Combine(run.Pretraining, "run.json"), Path.Combine(folder.Path, "run.json"));
        var sections = ReportRun.Build(new() { Run = folder.Path, Images = run.Images });
        Assert.Equal(["DINO: configuration", "DINO: options"], Titles(sections, isAbsent: false));
        Assert.Contains("0 of 6", Parse(ReportPage.Write("A run", sections)).Root!.Value);
    }

    [Fact]
    public void Names_are_never_markup()
    {
        string[] classes = ["<script>alert(1)<", "\"><img src=x onerror=alert(1)>", "a&b\u0001\u202E"];
        string hostile = Path.Combine(folder.Path, "hostile"), metrics = Path.Combine(folder.Path, "run");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows allows no such names.");
        foreach (var (name, i) in classes.Select((name, i) => (name, i)))
        {
            Directory.CreateDirectory(Path.Combine(hostile, name));
            foreach (string file in Directory.GetFiles(run.Images, "*.png", SearchOption.AllDirectories).Skip(4 * i).Take(4))
                File.Copy(file, Path.Combine(hostile, name, $"<b onclick='x'>{Path.GetFileName(file)}"));
        }
        Directory.CreateDirectory(metrics);
        File.Copy(Path.Combine(run.Pretraining, "run.json"), Path.Combine(metrics, "run.json"));
        File.WriteAllLines(Path.Combine(metrics, "metrics.jsonl"),
            [
                """{"step":1,"epoch":1,"loss":1,"</style><script>../../x":2}""", "nonsense", """{"step":2,"epoch":9e9,"loss":"x"}""",
            ]);

        var sections = ReportRun.Build(new() { Run = metrics, Images = hostile, Encoder = Path.Combine(run.Folder, "encoder") });
        var page = Parse(ReportPage.Write("<title>&\uD800", sections));
        string[] known =
        [
            "html", "head", "meta", "title", "style", "body", "header", "h1", "nav", "ul", "li", "a", "main", "section", "h2", "p", "pre", "dl",
            "div", "dt", "dd", "figure", "figcaption", "svg", "path", "circle", "rect", "text", "details", "summary", "table", "caption", "thead",
            "tbody", "tr", "th", "td", "img", "span",
        ];
        Assert.Empty(page.Descendants().Select(e => e.Name.LocalName).Distinct().Except(known));
        Assert.DoesNotContain(page.Descendants().Attributes(), a => a.Name.LocalName.StartsWith("on", StringComparison.OrdinalIgnoreCase));
        string text = page.Root!.Value;
        foreach (string shown in new[] { "<script>alert(1)<", "onerror=alert(1)>", "a&b\uFFFD\uFFFD" }) Assert.Contains(shown, text);
        Assert.DoesNotContain('\u202E', text);

        string figures = Path.Combine(folder.Path, "a", "figures");
        FigureFiles.Write(figures, sections);
        var written = Directory.GetFiles(folder.Path, "*.png", SearchOption.AllDirectories).Where(f => !f.StartsWith(hostile, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(written);
        Assert.All(written, file =>
        {
            Assert.Equal(figures, Path.GetDirectoryName(file));
            Assert.Matches("^[a-z0-9-]+\\.png$", Path.GetFileName(file));
        });
    }

    [Fact]
    public void The_commands_of_the_docs_write_the_page_and_the_figures()
    {
        var lines = File.ReadLines(Path.Combine(Fixtures.Root, "docs", "report.md"));
        string[] commands = [.. lines.Where(line => line.StartsWith("maskbias ", StringComparison.Ordinal))];
        Assert.Equal(2, commands.Length);
        foreach (string command in commands)
        {
            var (code, output, errors) = Run([.. command.Split(' ')[1..].Select(InFolder), "--max-images", "12"]);
            Assert.True(code == 0, errors);
            Assert.Matches("page: .*html\nsections: [0-9]+\nleft out: ", output.ReplaceLineEndings("\n"));
        }
        foreach (string page in new[] { "dino.html", "report.html" }) Parse(File.ReadAllBytes(Path.Combine(folder.Path, page)));
        string figures = Path.Combine(folder.Path, "figures");
        string[] files = [.. Directory.GetFiles(figures).Select(Path.GetFileName).Order(StringComparer.Ordinal)!];
        foreach (string expected in new[]
            {
                "attention.png", "bias-dino-alpha.png", "confusion.png", "curve-dino-k-nn-accuracy.png", "curve-dino-loss.png", "map.png",
                "masks.png", "neighbours.png", "patch-features.png",
            })
            Assert.Contains(expected, files);
        Assert.All(Directory.GetFiles(figures), file => Assert.InRange(ImageDecoder.Decode(File.ReadAllBytes(file), file).Width, 100, 4000));

        string InFolder(string word) => word switch
        {
            "runs/dino" => run.Pretraining, "artifacts/quickstart" => run.Folder, "photos" => run.Images,
            _ when word.EndsWith(".html", StringComparison.Ordinal) || word == "figures" => Path.Combine(folder.Path, word),
            _ => word,
        };
    }

    [Theory]
    [InlineData(1, "nowhere", "report", "nowhere")]
    [InlineData(2, "--max-images is 3", "report", "anywhere", "--max-images", "3")]
    [InlineData(2, "--masks is 'no-masks'", "report", "anywhere", "--masks", "no-masks")]
    public void Mistakes_are_one_line_that_says_which(int expected, string named, params string[] arguments)
    {
        var (code, _, errors) = Run(arguments);
        Assert.Equal(expected, code);
        Assert.Contains(named, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public void What_is_missing_or_damaged_is_named_in_one_line()
    {
        string damaged = Path.GetDirectoryName(folder.Write("damaged/run.json", "{\"format\": 1, \"phase\""u8.ToArray()))!;
        foreach (var (named, options) in new (string, ReportOptions)[]
            {
                ("run.json", new() { Run = folder.Path }), (Path.Combine("damaged", "run.json"), new() { Run = damaged }),
                ("no-images", new() { Run = run.Pretraining, Images = "no-images" }),
                ("no-encoder", new() { Run = run.Pretraining, Encoder = "no-encoder" }),
            })
        {
            string message = Assert.ThrowsAny<Exception>(() => ReportRun.Build(options)).Message;
            Assert.Contains(named, message);
            Assert.DoesNotContain('\n', message);
        }
    }

    private static IEnumerable<string> Titles(IReadOnlyList<ReportSection> sections, bool isAbsent) =>
        sections.Where(section => section.Absent is not null == isAbsent).Select(section => section.Title);

    private static XDocument Parse(byte[] page)
    {
        using var reader = XmlReader.Create(new MemoryStream(page), new() { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader);
    }

    private static (int Code, string Output, string Errors) Run(params string[] arguments) =>
        BuiltProgram.Run("src/Samples/Cli", "maskbias", arguments);

    public void Dispose() => folder.Dispose();
}
