using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace MaskBias.MLNet.VectorSearch.Stores;

/// <summary>One SQLite file. With synchronous = FULL and a write-ahead log, a transaction is on disk when it is committed.</summary>
internal sealed class SqliteStore : IIndexStore
{
    private const int ApplicationId = 0x4D424958;       // "MBIX"
    private const string Columns = "SELECT key, embedding, metadata, octet_length(embedding), octet_length(metadata) FROM items";
    private const int MaxMetadata = 1 << 26;            // bytes: its JSON is ASCII
    private const int Corrupt = 11, NoDatabase = 26;    // SQLite's codes
    private readonly SqliteConnection connection;
    private readonly SemaphoreSlim use = new(1);        // a connection serves one thread at a time
    private bool isClosed;

    private SqliteStore(SqliteConnection connection, string path) => (this.connection, Name) = (connection, $"The index '{path}'");

    public string Name { get; }

    public bool SearchesItself => false;

    public static SqliteStore Open(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        string full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = full, Pooling = false, DefaultTimeout = 30 }.ToString());
        var store = new SqliteStore(connection, path);
        try
        {
            connection.Open();
            long id = Convert.ToInt64(store.Scalar("PRAGMA application_id"), CultureInfo.InvariantCulture);
            bool isEmpty = Convert.ToInt64(store.Scalar("SELECT count(*) FROM sqlite_master"), CultureInfo.InvariantCulture) == 0;
            if (id != ApplicationId && !isEmpty) throw new InvalidDataException($"'{path}' is a SQLite database of another application, not an index.");
            store.Scalar("PRAGMA journal_mode = WAL");
            store.Scalar("PRAGMA synchronous = FULL");
            store.Scalar($"""
                BEGIN IMMEDIATE;
                PRAGMA application_id = {ApplicationId};
                CREATE TABLE IF NOT EXISTS model (id TEXT NOT NULL, dimensions INTEGER NOT NULL);
                CREATE TABLE IF NOT EXISTS items (key TEXT PRIMARY KEY, embedding BLOB NOT NULL, metadata TEXT NOT NULL) WITHOUT ROWID;
                COMMIT;
                """);
            return store;
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw new InvalidDataException($"'{path}' cannot be opened as an index: {e.Message}", e);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public Task<(string ModelId, int Dimensions)> EnsureModelAsync(string modelId, int dimensions, CancellationToken cancel) => Locked(() =>
    {
        Write(_ => Run("INSERT INTO model SELECT $id, $dimensions WHERE NOT EXISTS (SELECT * FROM model)", ("$id", modelId), ("$dimensions", dimensions)));
        using var command = Command("SELECT id, dimensions FROM model");
        using var reader = command.ExecuteReader();
        reader.Read();
        return (reader.GetString(0), reader.GetInt32(1));
    }, cancel);

    public Task<long> CountAsync(CancellationToken cancel) => Locked(() => (long)Scalar("SELECT count(*) FROM items")!, cancel);

    public Task UpsertAsync(IReadOnlyList<StoredItem> items, CancellationToken cancel) => Locked(() => Write(_ => Insert(items, cancel)), cancel);

    public Task<int> RemoveAsync(IReadOnlyCollection<string> keys, CancellationToken cancel) =>
        Locked(() => Write(_ => keys.Sum(key => Run("DELETE FROM items WHERE key = $key", ("$key", key)))), cancel);

    public Task ResetAsync(string modelId, int dimensions, IReadOnlyList<StoredItem> items, CancellationToken cancel) => Locked(() => Write(_ =>
    {
        Run("DELETE FROM items");
        Run("DELETE FROM model");
        Run("INSERT INTO model VALUES ($id, $dimensions)", ("$id", modelId), ("$dimensions", dimensions));
        return Insert(items, cancel);
    }), cancel);

    public Task<IReadOnlyList<StoredItem>> ReadAfterAsync(string key, int count, int dimensions, CancellationToken cancel) =>
        Locked<IReadOnlyList<StoredItem>>(() =>
        {
            using var command = Command($"{Columns} WHERE key > $key ORDER BY key LIMIT $count", ("$key", key), ("$count", count));
            using var reader = command.ExecuteReader();
            var items = new List<StoredItem>();
            while (reader.Read()) items.Add(Item(reader, dimensions));
            return items;
        }, cancel);

    public Task<IndexedImage?> FindAsync(string key, int dimensions, CancellationToken cancel) => Locked<IndexedImage?>(() =>
    {
        using var command = Command($"{Columns} WHERE key = $key", ("$key", key));
        using var reader = command.ExecuteReader();
        return reader.Read() && Item(reader, dimensions) is var item ? new IndexedImage(item.Key, item.Unit, item.Metadata) : null;
    }, cancel);

    public Task<IReadOnlyList<SearchHit>> SearchAsync(
        float[] unit, int count, IReadOnlyDictionary<string, string>? filter, CancellationToken cancel) => throw new NotSupportedException();

    public async ValueTask DisposeAsync()
    {
        await use.WaitAsync().ConfigureAwait(false);
        try
        {
            isClosed = true;
            await connection.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            use.Release();              // and never disposed: those who wait would wait for ever
        }
    }

    private int Insert(IReadOnlyList<StoredItem> items, CancellationToken cancel)
    {
        using var command = Command("""
            INSERT INTO items VALUES ($key, $embedding, $metadata)
            ON CONFLICT (key) DO UPDATE SET embedding = excluded.embedding, metadata = excluded.metadata
            """, ("$key", ""), ("$embedding", Array.Empty<byte>()), ("$metadata", ""));
        foreach (var item in items)
        {
            cancel.ThrowIfCancellationRequested();
            string metadata = item.MetadataJson;
            if (metadata.Length > MaxMetadata)
                throw new ArgumentException($"The metadata of '{item.Key}' have {metadata.Length} characters as JSON; at most {MaxMetadata} can be stored.");
            command.Parameters["$key"].Value = item.Key;
            command.Parameters["$embedding"].Value = MemoryMarshal.AsBytes(item.Unit.AsSpan()).ToArray();        // little-endian floats
            command.Parameters["$metadata"].Value = metadata;
            command.ExecuteNonQuery();
        }
        return items.Count;
    }

    // The file may come from anywhere: lengths are known before memory is taken.
    private StoredItem Item(SqliteDataReader reader, int dimensions)
    {
        string key = reader.GetString(0);
        long bytes = reader.GetInt64(3), metadata = reader.GetInt64(4);         // length() of a text would stop at a NUL
        if (bytes != 4L * dimensions) throw new InvalidDataException($"{Name} is damaged: the embedding of '{key}' has {bytes} bytes, not {4L * dimensions}.");
        if (metadata > MaxMetadata) throw new InvalidDataException($"{Name} is damaged: the metadata of '{key}' have {metadata} bytes.");
        return new StoredItem(key, MemoryMarshal.Cast<byte, float>(reader.GetFieldValue<byte[]>(1)).ToArray(),
            StoredItem.ReadMetadata(reader.GetString(2))).Checked(dimensions, Name);
    }

    private T Write<T>(Func<SqliteTransaction, T> write)
    {
        using var transaction = connection.BeginTransaction();
        T result = write(transaction);
        transaction.Commit();
        return result;
    }

    private async Task<T> Locked<T>(Func<T> work, CancellationToken cancel)
    {
        await use.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(isClosed, typeof(ImageIndex));
            return await Task.Run(work, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is JsonException or InvalidCastException or SqliteException { SqliteErrorCode: Corrupt or NoDatabase })
        {
            throw new InvalidDataException($"{Name} is damaged: {e.Message}", e);
        }
        finally
        {
            use.Release();
        }
    }

    private object? Scalar(string sql)
    {
        using var command = Command(sql);
        return command.ExecuteScalar();
    }

    private int Run(string sql, params (string Name, object Value)[] values)
    {
        using var command = Command(sql, values);
        return command.ExecuteNonQuery();
    }

    private SqliteCommand Command(string sql, params (string Name, object Value)[] values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, value);
        return command;
    }
}
