using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Tests.Extensions;
using MaskBias.MLNet.Tests.Images;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace MaskBias.MLNet.Tests.Docs;

/// <summary>The endpoint of docs/business-apps.md, as it is printed there.</summary>
public sealed class DocumentedEndpointTests(ServedModels models) : IClassFixture<ServedModels>
{
    [Fact]
    public async Task The_endpoint_answers()
    {
        await using var app = Example(["--urls", "http://127.0.0.1:0"], models.Onnx);
        app.Services.GetRequiredService<IOptionsMonitor<MaskBiasEmbeddingOptions>>().CurrentValue.QueueCapacity = 1;
        var embedder = app.Services.GetRequiredService<IImageEmbedder>();
        await app.StartAsync();
        using var client = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) }) { BaseAddress = new(app.Urls.Single()) };
        byte[] image = SampleImages.Shape(1, 1);

        var answer = await client.PostAsync("/embed", new ByteArrayContent(image));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var json = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(embedder.ModelId, json.GetProperty("modelId").GetString());
        Assert.Equal(embedder.Dimensions, json.GetProperty("features").GetArrayLength());

        answer = await client.PostAsync("/embed", new ByteArrayContent("no image"u8.ToArray()));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("is not an image", await answer.Content.ReadAsStringAsync());
        using var large = new HttpRequestMessage(HttpMethod.Post, "/embed") { Content = new ByteArrayContent(new byte[(5 << 20) + 1]) };
        large.Headers.ExpectContinue = true;                        // one that is still sending when the app hangs up may lose the answer
        answer = await client.SendAsync(large);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);

        using var slow = new SlowStream(image);
        var held = embedder.EmbedAsync(ImageInput.FromStream(slow));                    // all places of the queue
        answer = await client.PostAsync("/embed", new ByteArrayContent(image));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        slow.Open();
        await held;
    }

    [Fact]
    public void The_page_shows_this_endpoint() =>
        DocumentedCode.AssertShown("docs/business-apps.md", "tests/MaskBias.MLNet.Tests/Docs/DocumentedEndpointTests.cs");

    private static WebApplication Example(string[] args, string modelPath)
    {
        // From here
        const int MaxBytes = 5 << 20;
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = MaxBytes;                   // a longer body is answered with 413
            kestrel.Limits.MaxConcurrentConnections = 256;                  // and so many bodies may be in memory
        });
        builder.Services.AddMaskBiasEmbeddings(o => (o.ModelPath, o.MaxImageBytes, o.WhenFull) = (modelPath, MaxBytes, QueueFullMode.Reject));
        var app = builder.Build();
        app.MapPost("/embed", async (HttpContext context, IImageEmbedder embedder) =>
        {
            using var body = new MemoryStream();                            // whole before it takes a place: a slow upload keeps nobody out
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            try
            {
                var (features, modelId) = await embedder.EmbedAsync(ImageInput.FromBytes(body.ToArray(), "the upload"), context.RequestAborted);
                return Results.Ok(new { modelId, features });
            }
            catch (ImageReadException e)
            {
                return Results.Problem(e.Message, statusCode: StatusCodes.Status400BadRequest);
            }
            catch (EmbeddingQueueFullException e)
            {
                context.Response.Headers.RetryAfter = "1";
                return Results.Problem(e.Message, statusCode: StatusCodes.Status503ServiceUnavailable);
            }
        });
        // to here.
        return app;
    }
}
