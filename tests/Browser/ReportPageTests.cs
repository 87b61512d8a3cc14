using Deque.AxeCore.Playwright;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Samples.Cli.Report;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Tests;
using Microsoft.ML;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace MaskBias.MLNet.BrowserTests;

/// <summary>The page that <c>maskbias report</c> writes, in a browser. A window fails its test where the page causes an error.</summary>
public sealed class ReportPageTests(Browser browser, ReportPageTests.WrittenReport report)
    : IClassFixture<Browser>, IClassFixture<ReportPageTests.WrittenReport>
{
    [Fact]
    public async Task Every_picture_is_shown_and_nothing_is_fetched()
    {
        await using var window = await browser.OpenFileAsync(report.Path);
        await Expect(window.Page.Locator("h1")).ToHaveTextAsync("A run of <b>mine</b>");
        await Expect(window.Page.Locator("section")).ToHaveCountAsync(13);
        Assert.True(await IsTrue("document.images.length > 50 && [...document.images].every(i => i.complete && i.naturalWidth > 0)"));
        Assert.True(await IsTrue("[...document.querySelectorAll('svg')].every(s => s.getBoundingClientRect().height > 100)"));
        Assert.True(await IsTrue("performance.getEntriesByType('resource').every(r => r.name.startsWith('data:'))"));
        Assert.Equal(0, await window.Page.Locator("script").CountAsync());

        Task<bool> IsTrue(string expression) => window.Page.EvaluateAsync<bool>($"() => {expression}");
    }

    [Fact]
    public async Task The_numbers_behind_a_plot_open_with_the_keyboard()
    {
        await using var window = await browser.OpenFileAsync(report.Path);
        var table = window.Page.Locator("figure.plot table").First;
        await Expect(table).ToBeHiddenAsync();
        await window.Page.Locator("summary").First.FocusAsync();
        await window.Page.Keyboard.PressAsync("Enter");
        await Expect(table).ToBeVisibleAsync();
        await Expect(table.Locator("thead th")).ToHaveTextAsync(["step", "loss"]);
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task The_page_is_accessible_in_light_and_dark(ColorScheme scheme)
    {
        await using var window = await browser.OpenFileAsync(report.Path);
        await window.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
        var result = await window.Page.RunAxe();
        Assert.Empty(result.Violations.Select(v => $"{v.Id}: {v.Help}: {string.Join(" ", v.Nodes.Select(n => n.Html))}"));
        string ground = await window.Page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor");
        Assert.Equal(scheme == ColorScheme.Light ? "rgb(255, 255, 255)" : "rgb(22, 25, 29)", ground);
    }

    [Fact]
    public async Task A_phone_shows_it_without_scrolling_sideways()
    {
        await using var window = await browser.OpenFileAsync(report.Path, isPhone: true);
        Assert.True(await window.Page.EvaluateAsync<bool>("() => document.scrollingElement.scrollWidth <= innerWidth"));
    }

    [Fact]
    public async Task On_paper_it_is_black_on_white_without_what_can_only_be_clicked()
    {
        await using var window = await browser.OpenFileAsync(report.Path);
        await window.Page.EmulateMediaAsync(new() { Media = Media.Print, ColorScheme = ColorScheme.Dark });
        await Expect(window.Page.Locator("nav")).ToBeHiddenAsync();
        await Expect(window.Page.Locator("summary").First).ToBeHiddenAsync();
        string ink = await window.Page.EvaluateAsync<string>("() => getComputedStyle(document.querySelector('svg text')).fill");
        Assert.Equal("rgb(26, 26, 26)", ink);
        Assert.True((await window.Page.PdfAsync()).Length > 50_000);
    }

    /// <summary>The report of a small run on generated scenes, one class of which has a hostile name.</summary>
    public sealed class WrittenReport : IDisposable
    {
        private readonly TempFolder folder = new();

        public WrittenReport()
        {
            string images = System.IO.Path.Combine(folder.Path, "scenes"), run = System.IO.Path.Combine(folder.Path, "run");
            ShapeScenes.Generate(images, new() { Size = 32, ImagesPerClass = 4 });
            string hostile = System.IO.Path.Combine(images, "<img src=x onerror=alert(1)>");
            if (!OperatingSystem.IsWindows()) Directory.Move(Directory.GetDirectories(images).Order().First(), hostile);
            var ml = new MLContext(1);
            var photos = ml.Data.LoadImageFolder(images);
            using var model = ml.SelfSupervised().Dino(new DinoOptions
            {
                ImageColumnName = "ImagePath", MaskColumnName = "Masks", Epochs = 3, BatchSize = 20, Seed = 1, Output = new() { Folder = run },
                Encoder = new() { ImageSize = 16, PatchSize = 8, EmbedDim = 24, Depth = 2, Heads = 3 }, Views = new() { LocalViews = 0 },
                Head = new() { OutDim = 32, HiddenDim = 32, BottleneckDim = 16 },
            }).Fit(ml.SelfSupervised().SegmentImages().Fit(photos).Transform(photos));
            var sections = RunReport.Build(new() { Run = run, Images = images }, new Progress<string>());
            File.WriteAllBytes(Path, ReportPage.Write("A run of <b>mine</b>", sections));
        }

        public string Path => System.IO.Path.Combine(folder.Path, "report.html");

        public void Dispose() => folder.Dispose();
    }
}
