using System.Linq.Expressions;
using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Tests.Extensions;
using MaskBias.MLNet.VectorSearch;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.VectorData;

namespace MaskBias.MLNet.Tests.VectorSearch;

/// <summary>An index behind Microsoft.Extensions.VectorData.</summary>
public sealed class VectorDataSearchTests(ServedModels models) : IClassFixture<ServedModels>
{
    [Fact]
    public async Task Searches_find_what_the_index_finds()
    {
        await using var index = await ImageIndex.OpenSqliteAsync(models.In($"{Guid.NewGuid():N}.db"), "model", 2);
        await index.UpsertAsync([.. Enumerable.Range(0, 10).Select(i => new IndexedImage(
            $"item {i}", new float[] { 10 - i, i },
            new Dictionary<string, string> { ["parity"] = i % 2 == 0 ? "even" : "odd", ["all"] = "yes" }))]);
        var search = index.AsVectorSearchable();
        float[] query = [1, 0];
        Assert.Equal(["item 0", "item 1", "item 2"], await Keys(search.SearchAsync(query, 3)));
        Assert.Equal(["item 2", "item 3"], await Keys(search.SearchAsync(new ReadOnlyMemory<float>(query), 2, new() { Skip = 2 })));
        Assert.Equal(["item 0", "item 1"], await Keys(search.SearchAsync(new Embedding<float>(query), 9, new() { ScoreThreshold = 0.98 })));
        string wanted = "odd";
        VectorSearchOptions<IndexedImage> odd = new() { Filter = i => i.Metadata!["parity"] == wanted && i.Metadata["all"] == "yes" };
        Assert.Equal(["item 1", "item 3"], await Keys(search.SearchAsync(query, 2, odd)));

        foreach (var asked in Conditions(new("odd", new("yes"))))
            Assert.Equal(["item 1", "item 3"], await Keys(search.SearchAsync(query, 2, new() { Filter = asked })));

        var with = await search.SearchAsync(query, 1, new() { IncludeVectors = true }).SingleAsync();
        Assert.Equal([1f, 0f], with.Record.Embedding.ToArray());
        Assert.Equal(1, with.Score!.Value, 1e-6);
        Assert.Same(index, search.GetService(typeof(ImageIndex)));

        VectorSearchOptions<IndexedImage> other = new() { Filter = i => i.Key == "item 1" };
        var filter = await Assert.ThrowsAsync<NotSupportedException>(() => Keys(search.SearchAsync(query, 1, other)));
        Assert.Contains("it must be image.Metadata[\"name\"] == \"value\"", filter.Message);
        other = new() { Filter = i => i.Metadata!["parity"] == i.Key };
        Assert.Contains("The filter has", (await Assert.ThrowsAsync<NotSupportedException>(() => Keys(search.SearchAsync(query, 1, other)))).Message);
        await Assert.ThrowsAsync<NotSupportedException>(() => Keys(search.SearchAsync("text", 1)));
        await Assert.ThrowsAsync<NotSupportedException>(() => Keys(search.SearchAsync(new DataContent(new byte[3], "image/png"), 1)));
    }

    [Fact]
    public async Task Embeddings_that_name_another_model_are_refused()
    {
        await using var app = new ServiceCollection().AddMaskBiasEmbeddings(o => o.ModelPath = models.Onnx).BuildServiceProvider();
        await using var index = await ImageIndex.OpenSqliteAsync(models.In($"{Guid.NewGuid():N}.db"), "model", 24);
        var search = index.AsVectorSearchable(app.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>());
        Embedding<float> known = new(new float[] { 1 }) { ModelId = "other" };
        var refused = await Assert.ThrowsAsync<ModelMismatchException>(() => Keys(search.SearchAsync(known, 1)));
        Assert.Contains("not of 'other' (1)", refused.Message);
        DataContent image = new(models.Photos.Rows[0].Encoded, "image/png");
        await Assert.ThrowsAsync<ModelMismatchException>(() => Keys(search.SearchAsync(image, 1)));      // of the generator's own model
        Assert.Empty(await Keys(search.SearchAsync(new Embedding<float>(Enumerable.Repeat(1f, 24).ToArray()) { ModelId = "model" }, 1)));
    }

    [Fact]
    public async Task With_a_generator_images_are_searched_for()
    {
        await using var app = new ServiceCollection().AddMaskBiasEmbeddings(o => o.ModelPath = models.Onnx).BuildServiceProvider();
        var embedder = app.GetRequiredService<IImageEmbedder>();
        string path = models.In($"{Guid.NewGuid():N}.db");
        await using var index = await ImageIndex.OpenSqliteAsync(path, embedder.ModelId, embedder.Dimensions);
        foreach (var row in models.Photos.Rows)
            await index.UpsertAsync([new(row.ImagePath, (await embedder.EmbedAsync(ImageInput.FromBytes(row.Encoded))).Features)]);
        var search = index.AsVectorSearchable(app.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>());
        var wanted = models.Photos.Rows[5];
        Assert.Equal([wanted.ImagePath], await Keys(search.SearchAsync(new DataContent(wanted.Encoded, "image/png"), 1)));
    }

    private static IEnumerable<Expression<Func<IndexedImage, bool>>> Conditions(Request request)
    {
        yield return i => i.Metadata!["parity"] == request.Parity;
        yield return i => i.Metadata!["parity"] == request.Parity.Trim().ToLowerInvariant() && i.Metadata["all"] == request.Inner.All;
        yield return i => i.Metadata!["par" + request.Parity.Replace("odd", "ity")] == request.Parity;
        yield return i => i.Metadata!["parity"] == (request.Parity.Length == 3 ? $"{request.Parity}" : null);
    }

    private static async Task<string[]> Keys(IAsyncEnumerable<VectorSearchResult<IndexedImage>> results) =>
        await results.Select(r => r.Record.Key).ToArrayAsync();

    private sealed record Request(string Parity, Inner Inner);

    private sealed record Inner(string All);
}
