using Microsoft.Playwright;

namespace MaskBias.MLNet.BrowserTests;

/// <summary>
/// The Chromium that the distribution installs, or that MASKBIAS_CHROMIUM names; nothing is downloaded. Without one the tests skip.
/// </summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    private IPlaywright? playwright;
    private IBrowser? chromium;

    private static string? Program { get; } = Environment.GetEnvironmentVariable("MASKBIAS_CHROMIUM") is { Length: > 0 } named
        ? named
        : Names.SelectMany(_ => Folders, (name, folder) => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static string[] Folders => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);

    public async ValueTask InitializeAsync()
    {
        if (Program is null) return;
        Assertions.SetDefaultExpectTimeout(30_000);                 // Playwright's five seconds are soon over on a busy machine
        playwright = await Playwright.CreateAsync();
        chromium = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = ["--no-sandbox", "--disable-gpu"] });
    }

    /// <summary>Opens an address in a window of its own; errors that the page reports fail the test when that is disposed.</summary>
    internal async Task<Window> OpenAsync(string address, bool isPhone = false) => await Window.OpenAsync(await ContextAsync(isPhone), address);

    /// <summary>Opens a file as <see cref="OpenAsync"/> opens an address.</summary>
    internal async Task<Window> OpenFileAsync(string path, bool isPhone = false) =>
        await Window.ShowAsync(await ContextAsync(isPhone), new Uri(Path.GetFullPath(path)).AbsoluteUri);

    private async Task<IBrowserContext> ContextAsync(bool isPhone)
    {
        Assert.SkipWhen(chromium is null,
            "There is no Chromium: install the distribution's package chromium, or name a browser in MASKBIAS_CHROMIUM.");
        var context = await chromium.NewContextAsync(isPhone
            ? new() { ViewportSize = new() { Width = 390, Height = 844 }, HasTouch = true, IsMobile = true, DeviceScaleFactor = 2 }
            : new() { ViewportSize = new() { Width = 1280, Height = 860 } });
        context.SetDefaultTimeout(30_000);
        return context;
    }

    public async ValueTask DisposeAsync()
    {
        if (chromium is not null) await chromium.DisposeAsync();
        playwright?.Dispose();
    }
}
