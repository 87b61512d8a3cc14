using MaskBias.MLNet.VectorSearch;

namespace MaskBias.MLNet.Tests.VectorSearch;

public sealed class ImageIndexTests(PostgresServer server) : IClassFixture<PostgresServer>, IDisposable
{
    private const int Dimensions = 37;          // no multiple of a vector register
    private readonly TempFolder folder = new();
    private readonly string table = "t" + Guid.NewGuid().ToString("N")[..12];

    [Theory, InlineData(false), InlineData(true)]
    public async Task It_finds_what_a_plain_loop_finds_and_filters(bool postgres)
    {
        var items = Items(5000);
        await using var index = await Open(postgres);
        await index.UpsertAsync(items);
        foreach (string? kind in new[] { null, "even" })
        {
            float[] query = Random(new Random(99));
            var filter = kind is null ? null : new Dictionary<string, string> { ["kind"] = kind };
            var hits = await index.SearchAsync(query, 20, filter);
            var expected = items.Where(i => kind is null || i.Metadata!["kind"] == kind)
                .Select(i => (i.Key, Cosine: Cosine(i.Embedding.Span, query))).OrderByDescending(i => i.Cosine).Take(20).ToArray();
            Assert.Equal(expected.Select(e => e.Key), hits.Select(h => h.Key));
            for (int i = 0; i < hits.Count; i++) Assert.Equal(expected[i].Cosine, hits[i].Similarity, 1e-5);
        }
        Assert.Equal(5000, await index.ReadAllAsync().Select(i => i.Key).Distinct().CountAsync());      // five pages
        var self = (await index.SearchAsync(items[7].Embedding, 1))[0];
        Assert.Equal(("item 7", "odd"), (self.Key, self.Metadata["kind"]));
        Assert.Equal(1f, self.Similarity, 1e-5f);
        Assert.Empty(await index.SearchAsync(items[0].Embedding, 3, new Dictionary<string, string> { ["kind"] = "none" }));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Upserts_and_removals_last_when_it_is_opened_again(bool postgres)
    {
        var items = Items(50);
        await using (var index = await Open(postgres))
        {
            await index.UpsertAsync(items);
            await index.UpsertAsync([items[3] with { Embedding = items[4].Embedding, Metadata = null }]);
            Assert.Equal(2, await index.RemoveAsync(["item 4", "item 49", "nothing"]));
            await Check(index);
        }
        await using var again = await Open(postgres);
        await Check(again);

        async Task Check(ImageIndex index)
        {
            Assert.Equal(48, await index.CountAsync());
            var hit = (await index.SearchAsync(items[4].Embedding, 100))[0];
            Assert.Equal("item 3", hit.Key);
            Assert.Empty(hit.Metadata);
            Assert.Equal(48, (await index.SearchAsync(items[4].Embedding, 100)).Count);
            Assert.Null(await index.FindAsync("item 4"));
            var expected = items.Select(i => i.Key).Except(["item 4", "item 49"]).Order(StringComparer.Ordinal);
            Assert.Equal(expected, await index.ReadAllAsync().Select(i => i.Key).ToArrayAsync());
            Assert.Equal("even", (await index.FindAsync("item 48"))!.Metadata!["kind"]);
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Another_model_is_refused_until_the_index_is_rebuilt(bool postgres)
    {
        await using (var index = await Open(postgres)) await index.UpsertAsync(Items(3));
        var refused = await Assert.ThrowsAsync<ModelMismatchException>(() => Open(postgres, "other"));
        Assert.Equal(("model", Dimensions), (refused.StoredModelId, refused.StoredDimensions));
        Assert.Contains("holds embeddings of model 'model' (37 dimensions), not of 'other' (37)", refused.Message);
        await Assert.ThrowsAsync<ModelMismatchException>(() => Open(postgres, "model", 36));
        await using (var index = await Open(postgres))
        {
            await Assert.ThrowsAsync<ArgumentException>(() => index.RebuildAsync(Items(2), "other", 5));      // of 37 dimensions
            Assert.Equal(3, (await index.SearchAsync(Random(new Random(1)))).Count);                          // the old ones stay
            await index.RebuildAsync([new("new", new float[] { 1, 2, 3 })], "other", 3);
            Assert.Equal("new", Assert.Single(await index.SearchAsync(new float[] { 1, 2, 3 })).Key);
        }
        await using var other = await Open(postgres, "other", 3);
        Assert.Equal(1, await other.CountAsync());
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Embeddings_of_another_model_of_the_same_width_are_refused_where_their_model_is_said(bool postgres)
    {
        await using var index = await Open(postgres);
        var items = Items(3);
        await index.UpsertAsync(items, "model");
        var refused = await Assert.ThrowsAsync<ModelMismatchException>(() => index.UpsertAsync([items[0] with { Key = "new" }], "other"));
        Assert.Contains("holds embeddings of model 'model' (37 dimensions), not of 'other' (37)", refused.Message);
        Assert.Equal(3, await index.CountAsync());
        await Assert.ThrowsAsync<ModelMismatchException>(() => index.SearchAsync(items[0].Embedding, "other"));
        Assert.Equal("item 0", Assert.Single(await index.SearchAsync(items[0].Embedding, "model", count: 1)).Key);
        await index.RebuildAsync(items, "other", Dimensions);
        Assert.Single(await index.SearchAsync(items[0].Embedding, "other", count: 1));
        await Assert.ThrowsAsync<ModelMismatchException>(() => index.SearchAsync(items[0].Embedding, "model"));
    }

    [Fact]
    public async Task What_cannot_be_stored_is_named_and_nothing_of_its_call_is_kept()
    {
        await using var index = await Open(postgres: false);
        float[] bad = Random(new Random(1));
        bad[5] = float.NaN;
        foreach (var (item, message) in new[]
        {
            (new IndexedImage("short", new float[3]), "'short' has 3 dimensions; the index has 37"),
            (new IndexedImage("zero", new float[Dimensions]), "'zero' has length 0"),
            (new IndexedImage("nan", bad), "'nan' has length NaN"),
            (new IndexedImage("", Random(new Random(1))), "A key has 0 characters"),
        })
        {
            var fault = await Assert.ThrowsAsync<ArgumentException>(() => index.UpsertAsync([.. Items(2), item]));
            Assert.Contains(message, fault.Message);
        }
        Assert.Equal(0, await index.CountAsync());
        await Assert.ThrowsAsync<ArgumentException>(() => ImageIndex.OpenPostgresAsync("Host=none", "x; drop table y", "m", 3));
    }

    [Fact]
    public async Task Files_that_are_no_index_are_refused_and_left_as_they_are()
    {
        byte[] text = [.. Enumerable.Repeat((byte)'x', 5000)];
        string path = folder.Write("text.db", text);
        var fault = await Assert.ThrowsAsync<InvalidDataException>(() => ImageIndex.OpenSqliteAsync(path, "model", 3));
        Assert.Contains("cannot be opened as an index", fault.Message);
        Assert.Equal(text, File.ReadAllBytes(path));
    }

    [Theory]
    [InlineData("embedding = zeroblob(13)", "the embedding of 'a' has 13 bytes, not 12")]
    [InlineData("embedding = x'0000c07f0000000000000000'", "'a' has an embedding that is not finite")]
    [InlineData("metadata = cast(zeroblob(100000000) as text)", "the metadata of 'a' have 100000000 bytes")]
    [InlineData("metadata = '{'", "is damaged: ")]
    [InlineData("metadata = '[1]'", "is damaged: ")]
    public async Task A_damaged_item_is_named_when_it_is_read(string damage, string expected)
    {
        string path = Path.Combine(folder.Path, "damaged.db");
        await using (var index = await ImageIndex.OpenSqliteAsync(path, "model", 3))
            await index.UpsertAsync([new("a", new float[] { 1, 2, 3 })]);
        await using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={path};Pooling=False"))
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = $"UPDATE items SET {damage}";
            await command.ExecuteNonQueryAsync();
        }
        var fault = await Assert.ThrowsAsync<InvalidDataException>(async () =>
        {
            await using var index = await ImageIndex.OpenSqliteAsync(path, "model", 3);
            await index.SearchAsync(new float[] { 1, 2, 3 }, 1);
        });
        Assert.Contains(expected, fault.Message);
    }

    [Fact]
    public async Task Searches_and_writes_go_on_at_once()
    {
        await using var index = await Open(postgres: false);
        var items = Items(600);
        await index.UpsertAsync(items[..100]);
        var writers = Enumerable.Range(1, 5).Select(w => Task.Run(() => index.UpsertAsync(items[(100 * w)..(100 * w + 100)])));
        var readers = Enumerable.Range(0, 50).Select(i => Task.Run(async () =>
            Assert.Equal($"item {i}", (await index.SearchAsync(items[i].Embedding, 1))[0].Key)));
        await Task.WhenAll([.. writers, .. readers]);
        Assert.Equal(600, await index.CountAsync());
    }

    [Fact]
    public async Task A_write_beside_a_rebuild_that_fails_is_of_the_dimensions_that_stay()
    {
        Task? write = null;
        await using (var index = await Open(postgres: false))
        {
            await index.UpsertAsync(Items(3));
            await Assert.ThrowsAsync<IOException>(() => index.RebuildAsync(Broken(index), "other", 3));
            await Assert.ThrowsAsync<ArgumentException>(() => write!);
            Assert.Equal(("model", Dimensions), (index.ModelId, index.Dimensions));
        }
        await using var again = await Open(postgres: false);
        Assert.Equal(3, await again.CountAsync());

        IEnumerable<IndexedImage> Broken(ImageIndex index)
        {
            yield return new("new", new float[] { 1, 2, 3 });
            write = index.UpsertAsync([new("beside", new float[] { 1, 2, 3 })]);
            throw new IOException("no more");
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Disposal_ends_what_waits_for_it_and_may_come_twice(bool postgres)
    {
        var limit = TimeSpan.FromSeconds(60);
        var index = await Open(postgres);
        await index.UpsertAsync(Items(3));
        var running = index.UpsertAsync(Items(5000));
        Task[] disposals = [index.DisposeAsync().AsTask(), index.DisposeAsync().AsTask()];
        Task[] waiting = [index.UpsertAsync(Items(3)), index.RemoveAsync(["item 1"]), index.RebuildAsync(Items(3), "model", Dimensions)];
        await running.WaitAsync(limit);
        await Task.WhenAll(disposals).WaitAsync(limit);
        foreach (var write in waiting) await Assert.ThrowsAsync<ObjectDisposedException>(() => write.WaitAsync(limit));
        await index.DisposeAsync().AsTask().WaitAsync(limit);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => index.CountAsync().WaitAsync(limit));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => index.UpsertAsync(Items(1)).WaitAsync(limit));
        await using var again = await Open(postgres);
        Assert.Equal(5000, await again.CountAsync());
    }

    [Fact]
    public async Task Disposal_beside_reads_lets_each_have_its_answer_or_an_error()
    {
        var index = await Open(postgres: false);
        await index.UpsertAsync(Items(2000));
        var reads = Enumerable.Range(0, 2000).Select(i => index.FindAsync($"item {i}")).ToArray();
        await index.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        foreach (var read in reads)
        {
            try
            {
                Assert.NotNull(await read.WaitAsync(TimeSpan.FromSeconds(60)));
            }
            catch (ObjectDisposedException)
            {
            }
        }
    }

    public void Dispose() => folder.Dispose();

    private Task<ImageIndex> Open(bool postgres, string model = "model", int dimensions = Dimensions) => postgres
        ? ImageIndex.OpenPostgresAsync(server.Require(), table, model, dimensions)
        : ImageIndex.OpenSqliteAsync(Path.Combine(folder.Path, "index.db"), model, dimensions);

    private static IndexedImage[] Items(int count)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(i =>
            new IndexedImage($"item {i}", Random(random), new Dictionary<string, string> { ["kind"] = i % 2 == 0 ? "even" : "odd" }))];
    }

    private static float[] Random(Random random) => [.. Enumerable.Range(0, Dimensions).Select(_ => random.NextSingle() * 4 - 2)];

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double ab = 0, aa = 0, bb = 0;
        for (int i = 0; i < a.Length; i++) (ab, aa, bb) = (ab + (double)a[i] * b[i], aa + (double)a[i] * a[i], bb + (double)b[i] * b[i]);
        return ab / Math.Sqrt(aa * bb);
    }
}
