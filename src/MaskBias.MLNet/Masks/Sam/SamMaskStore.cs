using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>
/// Keeps the masks of images in a folder, one file per image, under a hash of its pixels, the model and the settings. Files are replaced as
/// a whole and carry a checksum, so one that was cut off or damaged counts as missing; several processes may share a folder.
/// </summary>
internal sealed class SamMaskStore
{
    // "MBSM", the version, the key, the records, the mask set, and SHA-256 of all before.
    private const int Version = 1, RecordLength = 2 * sizeof(float) + 2 * sizeof(double) + 8 * sizeof(int);
    private const long MaxFileLength = 1 << 30;

    private readonly string folder;
    private readonly byte[] context;

    /// <param name="folder">The folder, created with the first entry.</param>
    /// <param name="model">What distinguishes the model, <see cref="Fingerprint"/>.</param>
    /// <param name="options">The settings.</param>
    public SamMaskStore(string folder, byte[] model, SamMaskGeneratorOptions options)
    {
        this.folder = Path.GetFullPath(folder);
        context = [.. model, .. Encoding.UTF8.GetBytes(Describe(options))];
    }

    private static ReadOnlySpan<byte> Magic => "MBSM"u8;

    /// <summary>Hash of a checkpoint's bytes and of what is not in it.</summary>
    public static byte[] Fingerprint(string checkpointPath, int? decoderHeads)
    {
        using var stream = File.OpenRead(checkpointPath);
        return SHA256.HashData([.. SHA256.HashData(stream), .. BitConverter.GetBytes(decoderHeads ?? new SamOptions().DecoderHeads)]);
    }

    /// <summary>The key of an image: 64 hexadecimal digits.</summary>
    public string Key(RgbImage image)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(context);
        Span<byte> size = stackalloc byte[2 * sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(size, image.Height);
        BinaryPrimitives.WriteInt32LittleEndian(size[sizeof(int)..], image.Width);
        hash.AppendData(size);
        hash.AppendData(image.Pixels);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The file of a key.</summary>
    public string PathOf(string key) => Path.Combine(folder, key[..2], key + ".masks");

    /// <summary>Reads an entry; null where there is none, or none that can be used.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="fault">Why an entry that is there cannot be used, or null.</param>
    public GeneratedMasks? Read(string key, out string? fault)
    {
        fault = null;
        string path = PathOf(key);
        try
        {
            return Parse(ReadFile(path), key);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or FormatException)
        {
            fault = $"{path} cannot be used: {e.Message}";
            return null;
        }
    }

    /// <summary>Writes an entry; at any moment there is none or a whole one.</summary>
    public void Write(string key, GeneratedMasks masks)
    {
        byte[] bytes = Format(key, masks);
        try
        {
            AtomicFile.Write(PathOf(key), stream => stream.Write(bytes));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && Read(key, out _) is not null)
        {
            // another process wrote the same entry at this moment, and holds it open
        }
    }

    private static byte[] ReadFile(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        if (stream.Length > MaxFileLength) throw new InvalidDataException($"it has {stream.Length} bytes, more than {MaxFileLength}");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static byte[] Format(string key, GeneratedMasks masks)
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        writer.Write(Magic);
        writer.Write((byte)Version);
        writer.Write(Convert.FromHexString(key));
        writer.Write(masks.Records.Count);
        foreach (var record in masks.Records)
        {
            writer.Write(record.PredictedIou);
            writer.Write(record.StabilityScore);
            writer.Write(record.Point.X);
            writer.Write(record.Point.Y);
            foreach (var box in (PixelBox[])[record.Box, record.Crop])
            {
                writer.Write(box.Left);
                writer.Write(box.Top);
                writer.Write(box.Right);
                writer.Write(box.Bottom);
            }
        }
        writer.Write(masks.Masks.Encode());
        writer.Write(SHA256.HashData(memory.ToArray()));
        return memory.ToArray();
    }

    private static GeneratedMasks Parse(byte[] bytes, string key)
    {
        int head = Magic.Length + 1 + SHA256.HashSizeInBytes + sizeof(int), end = bytes.Length - SHA256.HashSizeInBytes;
        if (end < head || !bytes.AsSpan().StartsWith(Magic)) throw new InvalidDataException("it is not an entry of a mask store");
        if (bytes[Magic.Length] != Version)
            throw new InvalidDataException($"it has version {bytes[Magic.Length]}; this library reads {Version}");
        if (!SHA256.HashData(bytes.AsSpan(0, end)).AsSpan().SequenceEqual(bytes.AsSpan(end)))
            throw new InvalidDataException("its checksum does not fit");
        if (!bytes.AsSpan(Magic.Length + 1, SHA256.HashSizeInBytes).SequenceEqual(Convert.FromHexString(key)))
            throw new InvalidDataException("it is the entry of another image");

        using var reader = new BinaryReader(new MemoryStream(bytes, head - sizeof(int), end - head + sizeof(int)));
        int count = reader.ReadInt32();
        if (count < 0 || (long)count * RecordLength > end - head) throw new InvalidDataException($"it would have {count} records");
        var masks = MaskSet.Decode(bytes.AsSpan(head + count * RecordLength, end - head - count * RecordLength));
        if (masks.Count != count) throw new InvalidDataException($"it has {count} records and {masks.Count} masks");
        var records = new GeneratedMask[count];
        for (int k = 0; k < count; k++)
        {
            float iou = reader.ReadSingle(), stability = reader.ReadSingle();
            var point = new SamPoint(reader.ReadDouble(), reader.ReadDouble());
            records[k] = new(masks.Area(k), ReadBox(reader), iou, stability, point, ReadBox(reader));
        }
        return new(masks, records);
    }

    private static PixelBox ReadBox(BinaryReader reader) =>
        new(reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());

    // Everything that has a part in the result.
    private static string Describe(SamMaskGeneratorOptions options) => string.Join('|', ((double[])
        [
            Version, options.PointsPerSide, options.PredictedIouThreshold, options.StabilityScoreThreshold, options.StabilityScoreOffset,
            options.BoxNmsThreshold, options.CropLayers, options.CropNmsThreshold, options.CropOverlapRatio,
            options.CropPointsDownscaleFactor, options.MinMaskRegionArea,
        ]).Select(value => value.ToString("r", CultureInfo.InvariantCulture)));
}
