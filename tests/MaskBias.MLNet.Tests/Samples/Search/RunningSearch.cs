using System.Net.Http.Json;
using System.Text.Json;
using MaskBias.MLNet.Samples.Search;
using MaskBias.MLNet.Samples.Search.Model;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Tests.Samples.Search;

/// <summary>The Search app with a tiny encoder, on a port of its own, and a client of it.</summary>
internal sealed class RunningSearch : IAsyncDisposable
{
    private readonly TempFolder folder = new();
    private readonly SearchModel model;
    private SearchApp app = null!;

    private RunningSearch()
    {
        using (var encoder = TinyEncoders.Plain()) EncoderCheckpoint.Save(encoder, Path.Combine(folder.Path, "encoder"));
        model = ModelFiles.FromEncoder(Path.Combine(folder.Path, "encoder"), Data);
    }

    public string Data => Path.Combine(folder.Path, "data");

    public string Address => app.Address;

    public SearchApp App => app;

    public HttpClient Client { get; private set; } = null!;

    public List<string> Notes { get; } = [];

    public static async Task<RunningSearch> StartAsync(Func<SearchOptions, SearchOptions>? change = null)
    {
        var search = new RunningSearch();
        await search.RestartAsync(search.model, change);
        return search;
    }

    /// <summary>Ends the app and starts it on the same data, with the same model or another.</summary>
    public async Task RestartAsync(SearchModel? other = null, Func<SearchOptions, SearchOptions>? change = null)
    {
        if (app is not null) await app.DisposeAsync();
        var options = new SearchOptions { DataFolder = Data, MaxUploadBytes = 1 << 20, MaxImagePixels = 4_000_000 };
        app = await SearchApp.StartAsync(change?.Invoke(options) ?? options, other ?? model, Notes.Add, CancellationToken.None);
        Client = new(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) }) { BaseAddress = new(app.Address) };
    }

    /// <summary>Sends a file.</summary>
    public async Task<HttpResponseMessage> UploadAsync(byte[] file, string? label = null) =>
        await Client.PostAsync($"/api/images{(label is null ? "" : $"?label={Uri.EscapeDataString(label)}")}", new ByteArrayContent(file));

    /// <summary>Sends a file that must be taken.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> AddAsync(byte[] file, string? label = null)
    {
        using var answer = await UploadAsync(file, label);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }

    public Task<JsonElement> GetAsync(string path) => Client.GetFromJsonAsync<JsonElement>(path);

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        Client.Dispose();
        model.Dispose();
        folder.Dispose();
    }
}
