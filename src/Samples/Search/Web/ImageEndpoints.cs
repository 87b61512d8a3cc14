using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Samples.Search.Collection;
using MaskBias.MLNet.Samples.Search.Training;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace MaskBias.MLNet.Samples.Search.Web;

/// <summary>Uploads, lists, labels and searches images.</summary>
internal sealed class ImageEndpoints(
    ImageCollection collection, ProbeTraining training, IImageClassifier classifier, PictureDrawings drawings, SearchOptions options)
{
    private const int Listed = 60, MostListed = 200, MostSimilar = 24, MostClasses = 5;
    private const string Gone = "There is no such image.";

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/api/state", State);
        app.MapGet("/api/images", ListAsync);
        app.MapPost("/api/images", AddAsync).RequireRateLimiting(SearchApp.WorkPolicy);
        app.MapGet("/api/images/{id:guid}", DetailsAsync);
        app.MapDelete("/api/images/{id:guid}", RemoveAsync);
        app.MapPut("/api/images/{id:guid}/label", LabelAsync);
        app.MapGet("/api/images/{id:guid}/picture", (Guid id, HttpResponse response) => Picture(id, collection.PicturePath, response));
        app.MapGet("/api/images/{id:guid}/thumbnail", (Guid id, HttpResponse response) => Picture(id, collection.ThumbnailPath, response));
        app.MapGet("/api/images/{id:guid}/masks", MasksAsync).RequireRateLimiting(SearchApp.WorkPolicy);
        app.MapGet("/api/images/{id:guid}/attention", AttentionAsync).RequireRateLimiting(SearchApp.WorkPolicy);
    }

    private StateAnswer State()
    {
        string? source = training.Current is not null ? "probe" : classifier.Classes.Count > 0 ? "model" : null;
        var labels = collection.Labels().Select(l => new LabelCount(l.Key, l.Value)).ToArray();
        return new(collection.Count, labels, source, training.State, options.MaxUploadBytes);
    }

    private async Task<IReadOnlyList<ImageAnswer>> ListAsync(string? label, int? offset, int? count, CancellationToken cancel)
    {
        var items = collection.List(label, Math.Max(0, offset ?? 0), Math.Clamp(count ?? Listed, 1, MostListed));
        return await AnswerAsync([.. items.Select(i => (i, (float?)null))], cancel);
    }

    private async Task<IResult> AddAsync(string? label, HttpRequest request, CancellationToken cancel)
    {
        var (given, fault) = LabelRequest.Read(label);
        if (fault is not null) return Refused(fault);
        var body = await UploadBody.ReadAsync(request, options, cancel);
        var (item, isNew) = await collection.AddAsync(body, given, cancel);
        var answer = ImageAnswer.Of(item, null);
        return isNew ? Results.Created($"/api/images/{item.Key}", answer) : Results.Ok(answer);
    }

    private async Task<IResult> DetailsAsync(Guid id, CancellationToken cancel)
    {
        if (collection.Find(id) is not { } item || await collection.EmbeddingAsync(id, cancel) is not { } embedding
            || await collection.SimilarAsync(id, MostSimilar, cancel) is not { } similar) return Missing();
        var classes = training.Current is { } probe ? probe.Classify([embedding])[0] : await ModelClassesAsync(item, cancel);
        var answers = await AnswerAsync([.. similar.Select(s => (s.Item, (float?)s.Similarity))], cancel);
        return Results.Ok(new ImageDetails(
            item.Key, item.Label, item.Width, item.Height, [.. classes.Take(MostClasses)], drawings.AttentionHeads, answers));
    }

    private async Task<IResult> RemoveAsync(Guid id, CancellationToken cancel) =>
        await collection.RemoveAsync(id, cancel) ? Results.NoContent() : Missing();

    private async Task<IResult> LabelAsync(Guid id, LabelRequest request, CancellationToken cancel)
    {
        var (label, fault) = LabelRequest.Read(request.Label);
        if (fault is not null) return Refused(fault);
        return await collection.LabelAsync(id, label, cancel) is { } item ? Results.Ok(ImageAnswer.Of(item, null)) : Missing();
    }

    private async Task<IResult> MasksAsync(Guid id, HttpResponse response, CancellationToken cancel) =>
        Drawing(await drawings.MasksAsync(id, cancel), response);

    private async Task<IResult> AttentionAsync(Guid id, int? head, HttpResponse response, CancellationToken cancel)
    {
        if (drawings.AttentionHeads == 0) return Missing("There is no checkpoint of the encoder.");
        if (head is < 0 || head >= drawings.AttentionHeads) return Refused($"There are {drawings.AttentionHeads} heads, from 0.");
        return Drawing(await drawings.AttentionAsync(id, head, cancel), response);
    }

    // What the probe says of the images that have no label; else what the served model said when they came.
    private async Task<IReadOnlyList<ImageAnswer>> AnswerAsync(
        IReadOnlyList<(CollectionItem Item, float? Similarity)> items, CancellationToken cancel)
    {
        var guesses = new Dictionary<Guid, Guess>();
        if (training.Current is { } probe)
        {
            var embedded = new List<(Guid Id, ReadOnlyMemory<float> Embedding)>();
            foreach (var (item, _) in items.Where(i => i.Item.Label is null))
            {
                if (await collection.EmbeddingAsync(item.Id, cancel) is { } embedding) embedded.Add((item.Id, embedding));
            }
            var classes = probe.Classify(embedded.Select(e => e.Embedding));
            for (int i = 0; i < embedded.Count; i++) guesses[embedded[i].Id] = classes[i][0];
        }
        return [.. items.Select(i => ImageAnswer.Of(i.Item, guesses.GetValueOrDefault(i.Item.Id, i.Item.ModelClass!), i.Similarity))];
    }

    private async Task<Guess[]> ModelClassesAsync(CollectionItem item, CancellationToken cancel)
    {
        if (classifier.Classes.Count == 0) return [];
        if (await PictureDrawings.ReadAsync(collection.PicturePath(item.Id), cancel) is not { } picture) return [];
        var answer = await classifier.ClassifyAsync(ImageInput.FromBytes(picture), cancel);
        return [.. answer.Probabilities.Select(p => new Guess(p.Key, p.Value)).OrderByDescending(g => g.Confidence)];
    }

    private IResult Picture(Guid id, Func<Guid, string> path, HttpResponse response)
    {
        if (collection.Find(id) is null || !File.Exists(path(id))) return Missing();
        KeepForever(response);
        return Results.File(path(id), "image/jpeg");
    }

    private static IResult Drawing(byte[]? png, HttpResponse response)
    {
        if (png is null) return Missing();
        KeepForever(response);
        return Results.Bytes(png, "image/png");
    }

    // An id is of the content: what it names never changes.
    private static void KeepForever(HttpResponse response) => response.Headers.CacheControl = "private, max-age=31536000, immutable";

    private static IResult Missing(string fault = Gone) => Results.Json(new ErrorAnswer(fault), statusCode: StatusCodes.Status404NotFound);

    private static IResult Refused(string fault) => Results.Json(new ErrorAnswer(fault), statusCode: StatusCodes.Status400BadRequest);
}
