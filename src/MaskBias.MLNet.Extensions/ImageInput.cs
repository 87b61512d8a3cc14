using MaskBias.MLNet.Images;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Extensions;

/// <summary>An image to embed or classify: encoded bytes, a stream, a file or an ML.NET image.</summary>
public sealed class ImageInput
{
    private readonly Func<int, CancellationToken, ValueTask<ReadOnlyMemory<byte>>>? read;

    private ImageInput(string name, Func<int, CancellationToken, ValueTask<ReadOnlyMemory<byte>>>? read, MLImage? image = null) =>
        (Name, this.read, Image) = (name, read, image);

    internal string Name { get; }

    internal MLImage? Image { get; }

    /// <summary>The bytes of a JPEG, PNG, GIF, BMP or WebP file.</summary>
    /// <param name="encoded">The bytes; they must not change until the request has ended.</param>
    /// <param name="name">What errors call the image.</param>
    public static ImageInput FromBytes(ReadOnlyMemory<byte> encoded, string name = "the image") =>
        new(name, (limit, _) => encoded.Length > limit ? throw TooLong(name, encoded.Length, limit) : new(encoded));

    /// <summary>A stream of a JPEG, PNG, GIF, BMP or WebP file, read from where it is; it stays its caller's.</summary>
    /// <remarks>
    /// It is read once its request has a place in the queue, which bounds the memory, and keeps the place for as long as it takes. What
    /// comes slowly, as an upload may, is better read beforehand and given as bytes.
    /// </remarks>
    public static ImageInput FromStream(Stream stream, string name = "the image")
    {
        ArgumentNullException.ThrowIfNull(stream);
        return new(name, (limit, cancel) => ReadAsync(stream, name, limit, cancel));
    }

    /// <summary>A file on this machine. Never pass on a path that came from a network.</summary>
    public static ImageInput FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return new($"'{path}'", async (limit, cancel) =>
        {
            try
            {
                await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, useAsync: true);
                return await ReadAsync(stream, $"'{path}'", limit, cancel).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new ImageReadException($"'{path}' cannot be read: {e.Message}", e);
            }
        });
    }

    /// <summary>A decoded image of ML.NET; it stays its caller's and must live until the request has ended.</summary>
    public static ImageInput FromImage(MLImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return new("the image", read: null, image);
    }

    /// <summary>Reads the encoded bytes, at most as many as allowed.</summary>
    internal ValueTask<ReadOnlyMemory<byte>> ReadAsync(int limit, CancellationToken cancel) => read!(limit, cancel);

    private static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(Stream stream, string name, int limit, CancellationToken cancel)
    {
        if (stream.CanSeek && stream.Length - stream.Position > limit) throw TooLong(name, stream.Length - stream.Position, limit);
        var bytes = new MemoryStream();
        byte[] chunk = new byte[1 << 16];
        for (int read; (read = await stream.ReadAsync(chunk, cancel).ConfigureAwait(false)) > 0;)
        {
            if (bytes.Length + read > limit) throw TooLong(name, bytes.Length + read, limit);
            bytes.Write(chunk, 0, read);
        }
        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    private static ImageReadException TooLong(string name, long length, int limit) =>
        new($"{name} has {length} bytes or more; an image may have at most {limit}.");
}
