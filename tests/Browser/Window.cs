using MaskBias.MLNet.Tests.Images;
using Microsoft.Playwright;

namespace MaskBias.MLNet.BrowserTests;

/// <summary>A page of the app, and what a person does with it.</summary>
internal sealed class Window : IAsyncDisposable
{
    private readonly IBrowserContext context;
    private readonly List<string> faults = [];

    private Window(IBrowserContext context, IPage page) => (this.context, Page) = (context, page);

    public IPage Page { get; }

    /// <summary>Answers that a test expects; the browser reports every other fault, and the test fails.</summary>
    public List<string> Expected { get; } = [];

    public ILocator Tiles => Page.Locator("#grid .tile");

    public ILocator Detail => Page.Locator("#detail");

    public ILocator Status => Page.Locator("#status");

    /// <summary>Opens the app.</summary>
    public static async Task<Window> OpenAsync(IBrowserContext context, string address)
    {
        var window = await ShowAsync(context, address);
        await Assertions.Expect(window.Page.Locator("#count")).ToContainTextAsync("image");
        return window;
    }

    /// <summary>Opens any page.</summary>
    public static async Task<Window> ShowAsync(IBrowserContext context, string address)
    {
        var window = new Window(context, await context.NewPageAsync());
        window.Page.PageError += (_, error) => window.faults.Add(error);
        window.Page.Console += (_, message) =>
        {
            if (message.Type == "error") window.faults.Add(message.Text);
        };
        await window.Page.GotoAsync(address);
        return window;
    }

    /// <summary>Chooses files in the browser's dialog.</summary>
    public Task AddAsync(params (string Name, byte[] Bytes)[] files) => Page.Locator("#files").SetInputFilesAsync(
        files.Select(f => new FilePayload { Name = f.Name, MimeType = "image/png", Buffer = f.Bytes }));

    /// <summary>Chooses pictures of a shape.</summary>
    public Task AddShapesAsync(int shape, params IEnumerable<int> seeds) =>
        AddAsync([.. seeds.Select(seed => ($"{SampleImages.Classes[shape]} {seed}.png", SampleImages.Shape(shape, seed)))]);

    /// <summary>Waits until an image is shown whole.</summary>
    public Task SeesAsync(string selector) =>
        Page.WaitForFunctionAsync(
            "s => { const i = document.querySelector(s); return i && !i.hidden && i.complete && i.naturalWidth > 0; }", selector);

    /// <summary>Gives the open image a label, by keyboard.</summary>
    public async Task LabelAsync(string label)
    {
        await Page.Keyboard.PressAsync("l");
        await Assertions.Expect(Page.Locator("#label")).ToBeFocusedAsync();
        await Page.Locator("#label").FillAsync(label);
        await Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(Page.Locator("#detail-title")).ToHaveTextAsync(label);
    }

    public async ValueTask DisposeAsync()
    {
        await context.CloseAsync();
        Assert.DoesNotContain(faults, fault => !Expected.Any(fault.Contains));
    }
}
