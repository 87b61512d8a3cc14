using Deque.AxeCore.Playwright;
using MaskBias.MLNet.Tests.Images;
using MaskBias.MLNet.Tests.Samples.Search;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace MaskBias.MLNet.BrowserTests;

/// <summary>The page of the Search sample, used as a person uses it.</summary>
public sealed class SearchPageTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task Images_are_added_and_shown_with_masks_attention_and_the_most_similar()
    {
        await using var search = await RunningSearch.StartAsync();
        await using var window = await browser.OpenAsync(search.Address);
        await Expect(window.Page.Locator("#empty")).ToBeVisibleAsync();
        await window.AddShapesAsync(0, 1, 2);
        await Expect(window.Tiles).ToHaveCountAsync(2);
        await window.AddShapesAsync(1, 1, 2, 3);
        await Expect(window.Tiles).ToHaveCountAsync(5);
        await Expect(window.Page.Locator("#count")).ToHaveTextAsync("5 images");

        await window.AddShapesAsync(0, 3);                                          // one alone is opened
        await Expect(window.Detail).ToBeVisibleAsync();
        await Expect(window.Page.Locator("#similar .tile")).ToHaveCountAsync(5);
        foreach (string view in new[] { "Masks", "Attention", "Picture" })
        {
            await window.Page.GetByText(view, new() { Exact = true }).ClickAsync();
            await window.SeesAsync($"#view-image[src*='/{view.ToLowerInvariant()}']");
        }
        await window.Page.Keyboard.PressAsync("3");
        await window.Page.Locator("#head").SelectOptionAsync(new SelectOptionValue { Value = "1" });
        await window.SeesAsync("#view-image[src$='attention?head=1']");

        string? first = await window.Page.Locator("#similar .tile").First.GetAttributeAsync("data-id");
        await window.Page.Locator("#similar .tile").First.ClickAsync();
        await window.SeesAsync($"#view-image[src*='{first}']");
        await Expect(window.Page.Locator("#grid .tile[aria-current]")).ToHaveAttributeAsync("data-id", first!);

        window.Page.Dialog += (_, dialog) => dialog.AcceptAsync();
        await window.Page.Locator("#remove").ClickAsync();
        await Expect(window.Tiles).ToHaveCountAsync(5);
        await Expect(window.Detail).ToBeHiddenAsync();
        await window.Page.ReloadAsync();
        await Expect(window.Tiles).ToHaveCountAsync(5);
    }

    [Fact]
    public async Task Files_that_are_dropped_or_pasted_are_added()
    {
        await using var search = await RunningSearch.StartAsync();
        await using var window = await browser.OpenAsync(search.Address);
        const string Send = """
            ([kind, bytes]) => {
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(bytes)], 'shape.png', { type: 'image/png' }));
                dispatchEvent(kind === 'paste' ? new ClipboardEvent('paste', { clipboardData: data })
                    : new DragEvent(kind, { dataTransfer: data, cancelable: true }));
            }
            """;
        int[] dropped = [.. SampleImages.Shape(0, 1).Select(b => (int)b)], pasted = [.. SampleImages.Shape(1, 1).Select(b => (int)b)];
        await window.Page.EvaluateAsync(Send, new object[] { "dragover", dropped });
        await Expect(window.Page.Locator("#drop")).ToBeVisibleAsync();
        await window.Page.EvaluateAsync(Send, new object[] { "drop", dropped });
        await Expect(window.Tiles).ToHaveCountAsync(1);
        await Expect(window.Page.Locator("#drop")).ToBeHiddenAsync();
        await window.Page.EvaluateAsync(Send, new object[] { "paste", pasted });
        await Expect(window.Tiles).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task Everything_can_be_done_with_the_keyboard()
    {
        await using var search = await RunningSearch.StartAsync();
        for (int i = 0; i < 6; i++) await search.AddAsync(SampleImages.Shape(i % 2, i));
        await using var window = await browser.OpenAsync(search.Address);
        await Expect(window.Tiles).ToHaveCountAsync(6);
        var keyboard = window.Page.Keyboard;
        await keyboard.PressAsync("ArrowRight");
        await Expect(window.Tiles.Nth(0)).ToBeFocusedAsync();
        await keyboard.PressAsync("ArrowRight");
        await Expect(window.Tiles.Nth(1)).ToBeFocusedAsync();
        await keyboard.PressAsync("Enter");
        await Expect(window.Detail).ToBeFocusedAsync();
        await Expect(window.Tiles.Nth(1)).ToHaveAttributeAsync("aria-current", "true");
        await keyboard.PressAsync("j");
        await Expect(window.Tiles.Nth(2)).ToHaveAttributeAsync("aria-current", "true");
        await keyboard.PressAsync("2");
        await Expect(window.Page.GetByLabel("Masks")).ToBeCheckedAsync();
        await window.LabelAsync("circle");
        await keyboard.PressAsync("Escape");
        await Expect(window.Detail).ToBeHiddenAsync();
        await Expect(window.Tiles.Nth(2)).ToBeFocusedAsync();
        await Expect(window.Tiles.Nth(2)).ToContainTextAsync("circle");
        var chooser = await ChooserAsync(window.Page);
        await chooser.SetFilesAsync(new FilePayload { Name = "x.png", MimeType = "image/png", Buffer = SampleImages.Shape(2, 9) });
        await Expect(window.Tiles).ToHaveCountAsync(7);
    }

    // On a busy machine the browser now and then opens its own dialog, which nobody sees, before it knows that it is to tell of it.
    private static async Task<IFileChooser> ChooserAsync(IPage page)
    {
        var wait = new PageRunAndWaitForFileChooserOptions { Timeout = 10_000 };
        try
        {
            return await page.RunAndWaitForFileChooserAsync(() => page.Keyboard.PressAsync("a"), wait);
        }
        catch (TimeoutException)
        {
            return await page.RunAndWaitForFileChooserAsync(() => page.Keyboard.PressAsync("a"), wait);
        }
    }

    [Fact]
    public async Task The_classifier_is_trained_with_a_progress_bar_and_names_the_other_images()
    {
        await using var search = await RunningSearch.StartAsync(o => o with { ProbeEpochs = 500 });       // for longer than the page looks away
        await using var window = await browser.OpenAsync(search.Address);
        window.Expected.Add("409");
        await window.Page.Keyboard.PressAsync("t");
        await Expect(window.Status).ToContainTextAsync("Training needs at least two labels");

        for (int i = 0; i < 9; i++)
        {
            for (int shape = 0; shape < 2; shape++) await search.AddAsync(SampleImages.Shape(shape, i), i < 6 ? SampleImages.Classes[shape] : null);
        }
        await window.Page.ReloadAsync();
        await Expect(window.Page.Locator("#filters")).ToContainTextAsync("circle 6");
        await window.Page.EvaluateAsync("""
            () => {
                window.seen = [];
                const bar = document.getElementById('training-progress');
                new MutationObserver(() => { if (!bar.hidden) window.seen.push(bar.value); })
                    .observe(document.getElementById('training'), { subtree: true, childList: true, attributes: true });
            }
            """);
        await window.Page.GetByText("Train the classifier").ClickAsync();
        await Expect(window.Page.Locator("#training-text")).ToContainTextAsync("Trained on 12 images of 2 labels");
        double[] seen = await window.Page.EvaluateAsync<double[]>("() => window.seen");
        Assert.Contains(seen, value => value is > 0 and < 1);
        await window.Page.GetByText("No label 6").ClickAsync();
        await Expect(window.Tiles).ToHaveCountAsync(6);
        Assert.All(await window.Tiles.Locator(".guess").AllTextContentsAsync(), text => Assert.Contains(text, SampleImages.Classes));
        await window.Tiles.First.ClickAsync();
        await Expect(window.Page.Locator("#classes .bar")).ToHaveCountAsync(2);
        await Expect(window.Page.Locator("#detail-title")).ToContainTextAsync("Probably");
    }

    [Fact]
    public async Task A_training_can_be_cancelled_and_is_followed_after_a_reload()
    {
        await using var search = await RunningSearch.StartAsync(o => o with { ProbeEpochs = 1_000_000 });
        for (int i = 0; i < 8; i++) await search.AddAsync(SampleImages.Shape(i % 2, i), SampleImages.Classes[i % 2]);
        await using var window = await browser.OpenAsync(search.Address);
        await window.Page.GetByText("Train the classifier").ClickAsync();
        await Expect(window.Page.Locator("#training-progress")).ToBeVisibleAsync();
        await window.Page.ReloadAsync();
        await Expect(window.Page.Locator("#training-text")).ToContainTextAsync("of 8 images of 2 labels");
        await window.Page.GetByText("Cancel", new() { Exact = true }).ClickAsync();
        await Expect(window.Page.Locator("#training-text")).ToContainTextAsync("Training was cancelled");
        await Expect(window.Page.GetByText("Train the classifier")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Files_that_are_refused_say_why_and_the_others_are_added()
    {
        await using var search = await RunningSearch.StartAsync();
        await using var window = await browser.OpenAsync(search.Address);
        window.Expected.AddRange(["415", "422"]);
        byte[] good = SampleImages.Shape(0, 1);
        byte[] page = "<script>alert(1)</script>"u8.ToArray(), half = good[..(good.Length / 2)], big = new byte[2 << 20];
        await window.AddAsync(("page.png", page), ("half.png", half), ("big.png", big), ("good.png", good));
        await Expect(window.Tiles).ToHaveCountAsync(1);
        var rows = window.Page.Locator("#uploads li");
        await Expect(rows).ToHaveCountAsync(3);
        await Expect(rows.Filter(new() { HasText = "page.png" })).ToContainTextAsync("not an image of the formats JPEG, PNG");
        await Expect(rows.Filter(new() { HasText = "half.png" })).ToContainTextAsync("truncated");
        await Expect(rows.Filter(new() { HasText = "big.png" })).ToContainTextAsync("has 2 MB; at most 1 are taken");
        await window.Page.GetByLabel("Dismiss half.png").ClickAsync();
        await Expect(rows).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task An_upload_that_meets_too_much_to_do_is_sent_again()
    {
        await using var search = await RunningSearch.StartAsync();
        await using var window = await browser.OpenAsync(search.Address);
        window.Expected.Add("503");
        int tries = 0;
        await window.Page.RouteAsync("**/api/images", async route =>
        {
            bool isRefused = route.Request.Method == "POST" && tries++ < 2;
            if (isRefused) await route.FulfillAsync(new() { Status = 503, Body = """{"error":"There is too much to do."}""" });
            else await route.ContinueAsync();
        });
        await window.AddShapesAsync(0, 1);
        await Expect(window.Tiles).ToHaveCountAsync(1);
        Assert.Equal(3, tries);
    }

    [Fact]
    public async Task When_the_app_has_ended_the_page_says_so()
    {
        await using var search = await RunningSearch.StartAsync();
        await search.AddAsync(SampleImages.Shape(0, 1));
        await using var window = await browser.OpenAsync(search.Address);
        window.Expected.Add("Failed to load resource");
        await window.Page.Context.SetOfflineAsync(true);
        await window.Tiles.First.ClickAsync();
        await Expect(window.Status).ToContainTextAsync("The app does not answer");
        await window.Page.Context.SetOfflineAsync(false);
        await window.Tiles.First.ClickAsync();
        await Expect(window.Detail).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_label_is_text_whatever_it_holds()
    {
        await using var search = await RunningSearch.StartAsync();
        const string Label = "<img src=x onerror=\"window.hit=1\">";
        await search.AddAsync(SampleImages.Shape(0, 1));
        await search.AddAsync(SampleImages.Shape(0, 2), Label);
        await using var window = await browser.OpenAsync(search.Address);
        await window.Tiles.First.ClickAsync();
        await Expect(window.Page.Locator("#detail-title")).ToHaveTextAsync(Label);
        await Expect(window.Page.Locator("#filters")).ToContainTextAsync(Label);
        Assert.Equal(0, await window.Page.Locator("img[src=x]").CountAsync());
        Assert.False(await window.Page.EvaluateAsync<bool>("() => 'hit' in window"));
    }

    [Fact]
    public async Task On_a_phone_nothing_is_cut_off_or_too_small_to_touch()
    {
        await using var search = await RunningSearch.StartAsync();
        for (int i = 0; i < 9; i++) await search.AddAsync(SampleImages.Shape(i % 3, i), SampleImages.Classes[i % 3]);
        await using var window = await browser.OpenAsync(search.Address, isPhone: true);
        await CheckAsync();
        await window.Tiles.First.TapAsync();
        await Expect(window.Detail).ToBeVisibleAsync();
        var box = (await window.Detail.BoundingBoxAsync())!;
        Assert.Equal((0f, 390f), (box.X, box.Width));
        await window.SeesAsync("#view-image");
        await CheckAsync();
        await window.Page.GetByText("Attention", new() { Exact = true }).TapAsync();
        await window.SeesAsync("#view-image[src*='/attention']");
        await window.Page.GetByLabel("Close").TapAsync();
        await Expect(window.Detail).ToBeHiddenAsync();

        async Task CheckAsync()
        {
            bool fits = await window.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth");
            Assert.True(fits, "the page scrolls sideways");
            string[] small = await window.Page.EvaluateAsync<string[]>("""
                () => [...document.querySelectorAll('button, select, #label, .segments label')]
                    .filter(e => e.offsetParent && e.offsetHeight < 34).map(e => e.outerHTML)
                """);
            Assert.Empty(small);
        }
    }

    [Theory, InlineData(ColorScheme.Light), InlineData(ColorScheme.Dark)]
    public async Task The_page_is_accessible_by_the_rules_of_axe(ColorScheme scheme)
    {
        await using var search = await RunningSearch.StartAsync();
        for (int i = 0; i < 4; i++) await search.AddAsync(SampleImages.Shape(i % 2, i), i < 2 ? SampleImages.Classes[i % 2] : null);
        await using var window = await browser.OpenAsync(search.Address);
        await window.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
        await window.Tiles.First.ClickAsync();
        await window.SeesAsync("#view-image");
        var result = await window.Page.RunAxe();
        Assert.Empty(result.Violations.Select(v => $"{v.Id}: {v.Help}: {string.Join(" ", v.Nodes.Select(n => n.Html))}"));
    }
}
