using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;

namespace MaskBias.MLNet.VectorSearch.Stores;

/// <summary>
/// Two PostgreSQL tables: the items, and the model. Embeddings are pgvector's where the server has that extension, which then searches;
/// otherwise real[], searched in memory.
/// </summary>
internal sealed partial class PostgresStore : IIndexStore
{
    private readonly NpgsqlDataSource source;
    private readonly string table;

    private PostgresStore(NpgsqlDataSource source, string table, bool hasVectors) => (this.source, this.table, SearchesItself) = (source, table, hasVectors);

    public string Name => $"The index in table '{table}'";

    /// <summary>Whether the embeddings are pgvector's.</summary>
    public bool SearchesItself { get; private set; }

    public static async Task<PostgresStore> OpenAsync(string connectionString, string table, CancellationToken cancel)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        if (!TableName().IsMatch(table))
            throw new ArgumentException($"table is \"{table}\"; it must be 1 to 48 lower-case letters, digits and _, a letter first.", nameof(table));
        var source = NpgsqlDataSource.Create(connectionString);
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancel).ConfigureAwait(false);
            // One opener at a time creates the tables.
            await using var transaction = await connection.BeginTransactionAsync(cancel).ConfigureAwait(false);
            await Run("SELECT pg_advisory_xact_lock(hashtext('maskbias:' || @table))").ConfigureAwait(false);
            bool exists = await Ask("SELECT to_regclass(@table) IS NOT NULL").ConfigureAwait(false);
            bool vectors = exists
                ? await Ask("SELECT format_type(atttypid, null) = 'vector' FROM pg_attribute WHERE attrelid = to_regclass(@table) AND attname = 'embedding'").ConfigureAwait(false)
                : await Ask("SELECT EXISTS (SELECT * FROM pg_extension WHERE extname = 'vector')").ConfigureAwait(false);
            if (!exists)
            {
                await Run($"""
                    CREATE TABLE {table} (key text COLLATE "C" PRIMARY KEY, embedding {(vectors ? "vector" : "real[]")} NOT NULL, metadata jsonb NOT NULL);
                    CREATE TABLE {table}_model (id text NOT NULL, dimensions int NOT NULL);
                    """).ConfigureAwait(false);
            }
            await transaction.CommitAsync(cancel).ConfigureAwait(false);
            return new PostgresStore(source, table, vectors);

            async Task Run(string sql)
            {
                await using var command = new NpgsqlCommand(sql, connection, transaction);
                if (sql.Contains('@')) command.Parameters.AddWithValue("table", table);
                await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
            }

            async Task<bool> Ask(string sql)
            {
                await using var command = new NpgsqlCommand(sql, connection, transaction);
                if (sql.Contains('@')) command.Parameters.AddWithValue("table", table);
                return await command.ExecuteScalarAsync(cancel).ConfigureAwait(false) is true;
            }
        }
        catch
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public Task<(string ModelId, int Dimensions)> EnsureModelAsync(string modelId, int dimensions, CancellationToken cancel) => InTransaction(async connection =>
    {
        await RunAsync(connection, $"LOCK TABLE {table}_model IN EXCLUSIVE MODE", cancel).ConfigureAwait(false);
        await RunAsync(connection, $"INSERT INTO {table}_model SELECT @id, @dimensions WHERE NOT EXISTS (SELECT * FROM {table}_model)", cancel,
            new("id", modelId), new("dimensions", dimensions)).ConfigureAwait(false);
        await using var command = new NpgsqlCommand($"SELECT id, dimensions FROM {table}_model", connection);
        await using var reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        await reader.ReadAsync(cancel).ConfigureAwait(false);
        return (reader.GetString(0), reader.GetInt32(1));
    }, cancel);

    public async Task<long> CountAsync(CancellationToken cancel)
    {
        await using var command = source.CreateCommand($"SELECT count(*) FROM {table}");
        return (long)(await command.ExecuteScalarAsync(cancel).ConfigureAwait(false))!;
    }

    public Task UpsertAsync(IReadOnlyList<StoredItem> items, CancellationToken cancel) =>
        InTransaction(async connection => await InsertAsync(connection, items, cancel).ConfigureAwait(false), cancel);

    public async Task<int> RemoveAsync(IReadOnlyCollection<string> keys, CancellationToken cancel)
    {
        await using var command = source.CreateCommand($"DELETE FROM {table} WHERE key = ANY (@keys)");
        command.Parameters.AddWithValue("keys", keys.ToArray());
        return await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
    }

    public Task ResetAsync(string modelId, int dimensions, IReadOnlyList<StoredItem> items, CancellationToken cancel) => InTransaction(async connection =>
    {
        await RunAsync(connection, $"DELETE FROM {table}; DELETE FROM {table}_model", cancel).ConfigureAwait(false);
        await RunAsync(connection, $"INSERT INTO {table}_model VALUES (@id, @dimensions)", cancel, new("id", modelId), new("dimensions", dimensions)).ConfigureAwait(false);
        return await InsertAsync(connection, items, cancel).ConfigureAwait(false);
    }, cancel);

    public async Task<IReadOnlyList<StoredItem>> ReadAfterAsync(string key, int count, int dimensions, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(
            $"SELECT key, embedding::real[], metadata::text FROM {table} WHERE key > @key ORDER BY key LIMIT @count");
        command.Parameters.AddWithValue("key", key);
        command.Parameters.AddWithValue("count", count);
        await using var reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        var items = new List<StoredItem>();
        while (await reader.ReadAsync(cancel).ConfigureAwait(false)) items.Add(Item(reader).Checked(dimensions, Name));
        return items;
    }

    public async Task<IndexedImage?> FindAsync(string key, int dimensions, CancellationToken cancel)
    {
        await using var command = source.CreateCommand($"SELECT key, embedding::real[], metadata::text FROM {table} WHERE key = @key");
        command.Parameters.AddWithValue("key", key);
        await using var reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        return await reader.ReadAsync(cancel).ConfigureAwait(false) && Item(reader).Checked(dimensions, Name) is var item ? new IndexedImage(item.Key, item.Unit, item.Metadata) : null;
    }

    public async Task<IReadOnlyList<SearchHit>> SearchAsync(
        float[] unit, int count, IReadOnlyDictionary<string, string>? filter, CancellationToken cancel)
    {
        await using var command = source.CreateCommand($"""
            SELECT key, 1 - (embedding <=> @unit::vector), metadata::text FROM {table} WHERE metadata @> @filter
            ORDER BY embedding <=> @unit::vector, key LIMIT @count
            """);
        command.Parameters.AddWithValue("unit", Text(unit));
        command.Parameters.AddWithValue("filter", NpgsqlDbType.Jsonb, new StoredItem("", [], filter ?? StoredItem.NoMetadata).MetadataJson);
        command.Parameters.AddWithValue("count", count);
        await using var reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        var hits = new List<SearchHit>();
        while (await reader.ReadAsync(cancel).ConfigureAwait(false))
            hits.Add(new(reader.GetString(0), (float)reader.GetDouble(1), StoredItem.ReadMetadata(reader.GetString(2))));
        return hits;
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();

    private async Task<int> InsertAsync(NpgsqlConnection connection, IReadOnlyList<StoredItem> items, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"""
            INSERT INTO {table} VALUES (@key, @embedding::{(SearchesItself ? "vector" : "real[]")}, @metadata)
            ON CONFLICT (key) DO UPDATE SET embedding = excluded.embedding, metadata = excluded.metadata
            """, connection);
        var key = command.Parameters.Add("key", NpgsqlDbType.Text);
        var embedding = command.Parameters.Add("embedding", NpgsqlDbType.Array | NpgsqlDbType.Real);
        var metadata = command.Parameters.Add("metadata", NpgsqlDbType.Jsonb);
        foreach (var item in items)
        {
            (key.Value, embedding.Value, metadata.Value) = (item.Key, item.Unit, item.MetadataJson);
            await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
        }
        return items.Count;
    }

    private async Task<T> InTransaction<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancel).ConfigureAwait(false);
        T result = await work(connection).ConfigureAwait(false);
        await transaction.CommitAsync(cancel).ConfigureAwait(false);
        return result;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancel, params NpgsqlParameter[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(values);
        await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
    }

    private static StoredItem Item(NpgsqlDataReader reader) =>
        new(reader.GetString(0), reader.GetFieldValue<float[]>(1), StoredItem.ReadMetadata(reader.GetString(2)));

    private static string Text(float[] values) => $"[{string.Join(',', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)))}]";

    [GeneratedRegex("^[a-z][a-z0-9_]{0,47}$")]
    private static partial Regex TableName();
}
