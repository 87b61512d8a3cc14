using MaskBias.MLNet.Samples.Search;
using MaskBias.MLNet.Samples.Search.Model;
using static Microsoft.Playwright.Assertions;

namespace MaskBias.MLNet.BrowserTests;

/// <summary>The pictures of the docs: made where MASKBIAS_SCREENSHOTS names a folder for them.</summary>
public sealed class Screenshots(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task Of_the_demo()
    {
        string? folder = Environment.GetEnvironmentVariable("MASKBIAS_SCREENSHOTS");
        Assert.SkipWhen(string.IsNullOrEmpty(folder), "MASKBIAS_SCREENSHOTS names no folder for the pictures of the docs.");
        string data = Path.Combine(Path.GetFullPath(folder), "demo");
        using var model = ModelFiles.FromEncoder(DemoModel.Ensure(data, TextWriter.Null, CancellationToken.None), data);
        await using var app = await SearchApp.StartAsync(new() { DataFolder = data }, model, _ => { }, CancellationToken.None);
        foreach (var (png, label) in DemoModel.Scenes()) await app.Collection.AddAsync(png, label, CancellationToken.None);

        await using (var window = await browser.OpenAsync(app.Address))
        {
            await window.Page.GetByText("Train the classifier").ClickAsync();
            await Expect(window.Page.Locator("#training-text")).ToContainTextAsync("Trained on");
            await ShootAsync(window, "search-browse.png");
            await window.Tiles.Nth(3).ClickAsync();
            await window.Page.GetByText("Attention", new() { Exact = true }).ClickAsync();
            await window.SeesAsync("#view-image[src*='/attention']");
            await ShootAsync(window, "search-detail.png");
        }
        await using var phone = await browser.OpenAsync(app.Address, isPhone: true);
        await phone.Tiles.Nth(3).TapAsync();
        await phone.Page.GetByText("Masks", new() { Exact = true }).TapAsync();
        await phone.SeesAsync("#view-image[src*='/masks']");
        await ShootAsync(phone, "search-phone.png");

        async Task ShootAsync(Window window, string name)
        {
            await Expect(window.Status).Not.ToHaveClassAsync("shown");
            await window.Page.WaitForFunctionAsync("() => [...document.images].every(i => i.complete || i.loading === 'lazy')");
            await window.Page.EvaluateAsync("() => { scrollTo(0, 0); document.getElementById('detail').scrollTop = 0; }");
            await window.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name) });
        }
    }
}
