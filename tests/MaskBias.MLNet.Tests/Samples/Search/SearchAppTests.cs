using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Samples.Search.Model;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Tests.Extensions;
using MaskBias.MLNet.Tests.Images;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.Onnx;
using SkiaSharp;

namespace MaskBias.MLNet.Tests.Samples.Search;

/// <summary>The Search app as a client of HTTP meets it.</summary>
public sealed class SearchAppTests
{
    [Fact]
    public async Task What_is_uploaded_is_listed_shown_and_found_by_similarity()
    {
        await using var search = await RunningSearch.StartAsync();
        string[] circles = [await search.AddAsync(SampleImages.Shape(0, 1)), await search.AddAsync(SampleImages.Shape(0, 2))];
        string square = await search.AddAsync(SampleImages.Shape(1, 1), "square");
        string again = await search.AddAsync(SampleImages.Shape(0, 1));
        Assert.Equal(circles[0], again);                                        // the same file twice is one image

        var list = await search.GetAsync("/api/images");
        Assert.Equal([square, circles[1], circles[0]], Ids(list));
        Assert.Equal([square], Ids(await search.GetAsync("/api/images?label=square")));
        Assert.Equal([circles[0]], Ids(await search.GetAsync("/api/images?label=&offset=1")));

        var details = await search.GetAsync($"/api/images/{circles[0]}");
        Assert.Equal([circles[1], square], Ids(details.GetProperty("similar")));
        Assert.Equal((48, 40, 3), (Number(details, "width"), Number(details, "height"), Number(details, "attentionHeads")));
        Assert.Empty(details.GetProperty("classes").EnumerateArray());
        foreach (string path in new[] { "picture", "thumbnail", "masks", "attention", "attention?head=2" })
        {
            string type = path is "picture" or "thumbnail" ? "image/jpeg" : "image/png";
            using var answer = await search.Client.GetAsync($"/api/images/{circles[0]}/{path}");
            Assert.Equal((HttpStatusCode.OK, type), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
            using var picture = SKBitmap.Decode(await answer.Content.ReadAsByteArrayAsync());
            Assert.True(picture is { Width: >= 32, Height: >= 32 });
        }

        Assert.Equal(HttpStatusCode.NoContent, (await search.Client.DeleteAsync($"/api/images/{circles[0]}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await search.Client.GetAsync($"/api/images/{circles[0]}")).StatusCode);
        Assert.Equal(4, Directory.GetFiles(Path.Combine(search.Data, "pictures")).Length);
        Assert.Equal(2, Number(await search.GetAsync("/api/state"), "count"));
    }

    [Fact]
    public async Task What_is_stored_is_upright_reduced_and_encoded_anew()
    {
        await using var search = await RunningSearch.StartAsync();
        byte[] turned = SampleImages.JpegWithOrientation(SampleImages.Shape(0, 1, 1600, 800, SKEncodedImageFormat.Jpeg), orientation: 6);
        string id = await search.AddAsync(turned);
        byte[] stored = File.ReadAllBytes(Path.Combine(search.Data, "pictures", $"{id}.jpg"));
        var picture = ImageDecoder.Decode(stored, "stored", applyOrientation: false);
        Assert.Equal((512, 1024), (picture.Width, picture.Height));
        Assert.Equal(-1, stored.AsSpan().IndexOf("Exif"u8));
        byte[] small = File.ReadAllBytes(Path.Combine(search.Data, "pictures", $"{id}.small.jpg"));
        Assert.Equal(256, ImageDecoder.Decode(small, "stored").Height);
    }

    [Fact]
    public async Task The_probe_is_trained_with_progress_put_in_force_and_kept()
    {
        await using var search = await RunningSearch.StartAsync();
        using (var refused = await search.Client.PostAsync("/api/training", null))
        {
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
            Assert.Contains("at least two labels with 2 images each", await refused.Content.ReadAsStringAsync());
        }
        var unknown = new List<(string Id, string Class)>();
        for (int i = 0; i < 12; i++)
        {
            foreach (int shape in new[] { 0, 1 })
            {
                string id = await search.AddAsync(SampleImages.Shape(shape, i));
                var label = new { label = $" {SampleImages.Classes[shape]} " };
                if (i < 8) (await search.Client.PutAsJsonAsync($"/api/images/{id}/label", label)).EnsureSuccessStatusCode();
                else unknown.Add((id, SampleImages.Classes[shape]));
            }
        }
        await search.AddAsync(SampleImages.Shape(2, 1), "alone");               // one image cannot be learned from and held out
        var states = await TrainAsync(search);
        Assert.Equal("Running", states[0].GetProperty("status").GetString());
        double[] progress = [.. states.Select(s => s.GetProperty("progress").GetDouble())];
        Assert.Equal(progress.Order(), progress);
        var done = states[^1];
        Assert.Equal(("Done", 16, 2), (done.GetProperty("status").GetString(), Number(done, "images"), Number(done, "classes")));
        Assert.InRange(done.GetProperty("accuracy").GetDouble(), 0.5, 1);
        await Check();
        await search.RestartAsync();
        await Check();

        async Task Check()
        {
            Assert.Equal("probe", (await search.GetAsync("/api/state")).GetProperty("classifier").GetString());
            var guesses = (await search.GetAsync("/api/images?label=")).EnumerateArray()
                .ToDictionary(i => i.GetProperty("id").GetString()!, i => i.GetProperty("class").GetString());
            Assert.Equal(unknown.Count, guesses.Count);
            Assert.True(unknown.Count(u => guesses[u.Id] == u.Class) >= 7, "of 8");
            var classes = (await search.GetAsync($"/api/images/{unknown[0].Id}")).GetProperty("classes");
            Assert.Equal(1, classes.EnumerateArray().Sum(c => c.GetProperty("confidence").GetDouble()), 1e-4);
        }
    }

    [Fact]
    public async Task A_served_classifier_gives_the_classes_until_a_probe_is_trained()
    {
        using var models = new ServedModels();
        await using var search = await RunningSearch.StartAsync();
        using var served = ModelFiles.FromModel(models.Classifier, checkpoint: null);
        await search.RestartAsync(served);
        string id = await search.AddAsync(models.Photos.Rows[0].Encoded);
        Assert.Equal("model", (await search.GetAsync("/api/state")).GetProperty("classifier").GetString());
        var details = await search.GetAsync($"/api/images/{id}");
        Assert.Equal(0, Number(details, "attentionHeads"));
        var best = details.GetProperty("classes")[0];
        var listed = (await search.GetAsync("/api/images"))[0];
        Assert.Equal(best.GetProperty("label").GetString(), listed.GetProperty("class").GetString());
        Assert.Equal(best.GetProperty("confidence").GetDouble(), listed.GetProperty("confidence").GetDouble(), 1e-4);
        Assert.Equal(HttpStatusCode.NotFound, (await search.Client.GetAsync($"/api/images/{id}/attention")).StatusCode);
    }

    [Fact]
    public async Task With_another_model_the_pictures_are_embedded_again_and_keep_their_labels()
    {
        await using var search = await RunningSearch.StartAsync();
        string id = await search.AddAsync(SampleImages.Shape(0, 1), "circle");
        await search.AddAsync(SampleImages.Shape(0, 2));
        using var encoder = TinyEncoders.Plain(seed: 2);
        string onnx = Path.Combine(search.Data, "other.onnx");
        OnnxEncoder.Export(encoder, onnx);
        await search.RestartAsync(new(onnx, Encoder: null));
        Assert.Contains("embedding 2 pictures again", Assert.Single(search.Notes));
        Assert.Equal([id], Ids(await search.GetAsync("/api/images?label=circle")));
        Assert.Single((await search.GetAsync($"/api/images/{id}")).GetProperty("similar").EnumerateArray());
        await search.RestartAsync(new(onnx, Encoder: null));
        Assert.Single(search.Notes);

    }

    [Fact]
    public async Task A_checkpoint_of_another_encoder_is_refused_where_it_was_named_and_left_out_where_it_was_found()
    {
        await using var search = await RunningSearch.StartAsync();
        using TinyEncoderFile served = new(seed: 2, search.Data), wrong = new(seed: 3, search.Data);
        string other = Path.Combine(search.Data, "other");
        Task<MaskBias.MLNet.Samples.Search.SearchApp> Start(SearchModel model) =>
            MaskBias.MLNet.Samples.Search.SearchApp.StartAsync(new() { DataFolder = other }, model, search.Notes.Add, CancellationToken.None);
        var fault = await Assert.ThrowsAsync<InvalidDataException>(() => Start(new(served.Onnx, wrong.Encoder, "wrong")));
        Assert.Contains("The checkpoint 'wrong' is of another encoder", fault.Message);
        await search.RestartAsync(new(served.Onnx, wrong.Encoder, "wrong", IsGuess: true));
        string id = await search.AddAsync(SampleImages.Shape(0, 1));
        Assert.Contains("The checkpoint 'wrong' beside the model does not embed as it does", search.Notes[0]);
        Assert.Equal(0, (await search.GetAsync($"/api/images/{id}")).GetProperty("attentionHeads").GetInt32());
    }

    [Fact]
    public async Task An_encoder_that_was_named_shows_where_a_probe_of_its_blocks_looks()
    {
        await using var search = await RunningSearch.StartAsync();
        using TinyEncoderFile served = new(seed: 2, search.Data, lastBlocks: 2);
        await search.RestartAsync(new(served.Onnx, served.Encoder, "student"));
        string id = await search.AddAsync(SampleImages.Shape(0, 1));
        Assert.Contains("it is taken for the model's, and cannot be checked", search.Notes[0]);
        Assert.NotEqual(0, (await search.GetAsync($"/api/images/{id}")).GetProperty("attentionHeads").GetInt32());
    }

    [Fact]
    public async Task Two_apps_on_one_folder_are_refused()
    {
        await using var search = await RunningSearch.StartAsync();
        using TinyEncoderFile served = new(seed: 2, search.Data);
        var fault = await Assert.ThrowsAsync<IOException>(() => MaskBias.MLNet.Samples.Search.SearchApp.StartAsync(
            new() { DataFolder = search.Data }, new(served.Onnx, Encoder: null), search.Notes.Add, CancellationToken.None));
        Assert.Contains("where another Search uses it", fault.Message);
        Assert.Contains("--data", fault.Message);
    }

    [Fact]
    public async Task A_label_called_none_is_a_label()
    {
        await using var search = await RunningSearch.StartAsync();
        string id = await search.AddAsync(SampleImages.Shape(0, 1), "none"), unlabelled = await search.AddAsync(SampleImages.Shape(0, 2));
        Assert.Equal([id], Ids(await search.GetAsync("/api/images?label=none")));
        Assert.Equal([unlabelled], Ids(await search.GetAsync("/api/images?label=")));
    }

    // An encoder and its graph, of its own features or of its last blocks.
    private sealed class TinyEncoderFile : IDisposable
    {
        public TinyEncoderFile(int seed, string folder, int lastBlocks = 0)
        {
            Encoder = TinyEncoders.Plain(seed: seed);
            Onnx = Path.Combine(folder, $"{seed}.onnx");
            OnnxEncoder.Export(Encoder, Onnx, new() { Blocks = lastBlocks == 0 ? null : new() { LastBlocks = lastBlocks } });
        }

        public VisionEncoder Encoder { get; }

        public string Onnx { get; }

        public void Dispose() => Encoder.Dispose();
    }

    [Fact]
    public async Task What_a_killed_process_left_behind_is_removed_at_the_start()
    {
        await using var search = await RunningSearch.StartAsync();
        string id = await search.AddAsync(SampleImages.Shape(0, 1)), pictures = Path.Combine(search.Data, "pictures");
        File.WriteAllText(Path.Combine(pictures, $"{Guid.NewGuid():N}.jpg"), "no item's");
        File.WriteAllText(Path.Combine(pictures, $"{id}.jpg.tmp"), "half");
        File.WriteAllText(Path.Combine(pictures, "notes.txt"), "not ours");
        await search.RestartAsync();
        Assert.Equal([$"{id}.jpg", $"{id}.small.jpg", "notes.txt"], Directory.GetFiles(pictures).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Faults_have_their_status_and_a_sentence()
    {
        await using var search = await RunningSearch.StartAsync(o => o with { MaxImages = 1, MaxImagePixels = 100 * 100 });
        byte[] good = SampleImages.Shape(0, 1);
        await Refused(HttpStatusCode.UnsupportedMediaType, "not an image of the formats JPEG", search.UploadAsync("<svg/>"u8.ToArray()));
        await Refused(HttpStatusCode.UnsupportedMediaType, "not an image", search.UploadAsync([]));
        await Refused(HttpStatusCode.UnprocessableEntity, "truncated", search.UploadAsync(good[..(good.Length / 2)]));
        await Refused(HttpStatusCode.RequestEntityTooLarge, "too large", search.Client.SendAsync(TooLarge()));
        byte[] large = SampleImages.Shape(0, 1, 101, 100), wide = SampleImages.Shape(0, 1, 510, 10);
        await Refused(HttpStatusCode.RequestEntityTooLarge, "101x100; at most 10000 pixels", search.UploadAsync(large));
        await Refused(HttpStatusCode.RequestEntityTooLarge, "at most 50 times the shorter", search.UploadAsync(wide));
        await Refused(HttpStatusCode.BadRequest, "at most 64 characters", search.UploadAsync(good, new string('x', 65)));
        await Refused(HttpStatusCode.BadRequest, "plain text", search.UploadAsync(good, "a\u0007b"));
        string id = await search.AddAsync(good);
        await Refused(HttpStatusCode.Conflict, "holds 1 images", search.UploadAsync(SampleImages.Shape(0, 2)));
        await Refused(HttpStatusCode.NotFound, "no such image", search.Client.GetAsync($"/api/images/{Guid.NewGuid():N}"));
        string gone = $"/api/images/{Guid.NewGuid():N}/label";
        await Refused(HttpStatusCode.NotFound, "no such image", search.Client.PutAsJsonAsync(gone, new { label = "x" }));
        await Refused(HttpStatusCode.BadRequest, "3 heads", search.Client.GetAsync($"/api/images/{id}/attention?head=3"));
        var half = new StringContent("{", new MediaTypeHeaderValue("application/json"));
        await Refused(HttpStatusCode.BadRequest, "not well-formed", search.Client.PutAsync($"/api/images/{id}/label", half));

        await Refused(HttpStatusCode.Forbidden, "another page", search.Client.SendAsync(From("Origin", "http://evil.example")));
        await Refused(HttpStatusCode.Forbidden, "another page", search.Client.SendAsync(From("Sec-Fetch-Site", "cross-site")));
        Assert.Equal(HttpStatusCode.BadRequest, (await search.Client.SendAsync(From("Host", "evil.example"))).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await search.Client.SendAsync(From("Origin", search.Address))).StatusCode);

        // It asks before it sends: one that is still sending when the app hangs up may lose the answer.
        static HttpRequestMessage TooLarge()
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "/api/images") { Content = new ByteArrayContent(new byte[2 << 20]) };
            request.Headers.ExpectContinue = true;
            return request;
        }

        HttpRequestMessage From(string header, string value)
        {
            var request = new HttpRequestMessage(HttpMethod.Delete, $"/api/images/{id}");
            request.Headers.TryAddWithoutValidation(header, value);
            return request;
        }

        static async Task Refused(HttpStatusCode status, string message, Task<HttpResponseMessage> request)
        {
            using var answer = await request;
            string text = await answer.Content.ReadAsStringAsync();
            Assert.True(status == answer.StatusCode, $"{answer.StatusCode}: {text}");
            Assert.Contains(message, JsonDocument.Parse(text).RootElement.GetProperty("error").GetString());
        }
    }

    [Fact]
    public async Task With_too_much_to_do_it_answers_503_and_a_body_that_stalls_408()
    {
        await using var search = await RunningSearch.StartAsync(o => o with { MaxConcurrentWork = 1, BodyTimeout = TimeSpan.FromSeconds(4) });
        var address = new Uri(search.Address);
        string half = $"POST /api/images HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Length: 5000\r\n\r\nGIF89a";
        TcpClient? stalled = null;
        HttpResponseMessage busy;
        do
        {
            // One that comes while an upload is under way is itself the one too many, and answered at once.
            if (stalled?.GetStream().DataAvailable != false)
            {
                stalled?.Dispose();
                stalled = new TcpClient();
                await stalled.ConnectAsync(address.Host, address.Port);
                await stalled.GetStream().WriteAsync(Encoding.ASCII.GetBytes(half));
            }
            busy = await search.UploadAsync(SampleImages.Shape(0, 2));
        }
        while (busy.IsSuccessStatusCode);
        using var _ = stalled;
        var stream = stalled.GetStream();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, busy.StatusCode);
        Assert.NotNull(busy.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.OK, (await search.Client.GetAsync("/api/images")).StatusCode);      // what costs little goes on
        Assert.StartsWith("HTTP/1.1 408", await new StreamReader(stream).ReadLineAsync());
        Assert.True((await search.UploadAsync(SampleImages.Shape(0, 3))).IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_body_that_breaks_the_rules_is_the_clients_fault()
    {
        await using var search = await RunningSearch.StartAsync();
        var address = new Uri(search.Address);
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        string request = $"POST /api/images HTTP/1.1\r\nHost: {address.Authority}\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        Assert.StartsWith("HTTP/1.1 400", await new StreamReader(client.GetStream()).ReadLineAsync());
    }

    [Fact]
    public async Task The_page_may_load_nothing_from_elsewhere()
    {
        await using var search = await RunningSearch.StartAsync();
        foreach (var (path, type) in new[]
        {
            ("/", "text/html"), ("/app.js", "text/javascript"), ("/app.css", "text/css"), ("/icon.svg", "image/svg+xml"),
        })
        {
            using var answer = await search.Client.GetAsync(path);
            Assert.Equal((HttpStatusCode.OK, type), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
            Assert.StartsWith("default-src 'self'", answer.Headers.GetValues("Content-Security-Policy").Single());
            Assert.DoesNotContain("https://", await answer.Content.ReadAsStringAsync());
        }
        Assert.Equal("Healthy", await search.Client.GetStringAsync("/health"));
    }

    [Theory]
    [InlineData("--demo")]
    [InlineData("--port", "--encoder", "x", "--port", "70000")]
    [InlineData("--shop", "--shop")]
    public void Mistakes_on_the_command_line_are_one_line_that_says_what_to_do(string named, params string[] arguments)
    {
        var (code, _, errors) = BuiltProgram.Run("src/Samples/Search", "Search", arguments);
        Assert.Equal(2, code);
        Assert.Contains(named, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    // A training may end before it is asked for: then it is begun anew.
    private static async Task<List<JsonElement>> TrainAsync(RunningSearch search)
    {
        const int Tries = 5;
        var states = new List<JsonElement>();
        for (int i = 0; i < Tries && states.Count < 2; i++)
        {
            using var begun = await search.Client.PostAsync("/api/training", null);
            if (i == 0) Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);          // the one before may not have quite ended
            states.Clear();
            await using var stream = await search.Client.GetStreamAsync("/api/training");
            await foreach (var item in System.Net.ServerSentEvents.SseParser.Create(stream).EnumerateAsync())
                states.Add(JsonDocument.Parse(item.Data).RootElement);
        }
        return states;
    }

    private static string[] Ids(JsonElement images) => [.. images.EnumerateArray().Select(i => i.GetProperty("id").GetString()!)];

    private static int Number(JsonElement of, string name) => of.GetProperty(name).GetInt32();
}
