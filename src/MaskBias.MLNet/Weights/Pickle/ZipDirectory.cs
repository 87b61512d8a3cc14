using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>
/// The directory of a zip archive, also of one beyond 4 GiB (zip64). .NET's own reader does not tell where a file's bytes are, which
/// must be known to read weights without a copy.
/// </summary>
internal sealed class ZipDirectory
{
    private const int EndLength = 22, LocatorLength = 20, End64Length = 56, EntryLength = 46, LocalLength = 30;
    private const int MaxComment = ushort.MaxValue;
    private const uint EndMark = 0x06054b50, LocatorMark = 0x07064b50, End64Mark = 0x06064b50;
    private const uint EntryMark = 0x02014b50, LocalMark = 0x04034b50;

    private readonly SafeFileHandle file;
    private readonly AllocationBudget budget;
    private readonly long length;
    private readonly Dictionary<string, ZipEntry> entries = new(StringComparer.Ordinal);

    /// <summary>Reads and checks the directory.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public ZipDirectory(SafeFileHandle file, long length, AllocationBudget budget)
    {
        (this.file, this.length, this.budget) = (file, length, budget);
        var (start, size, count) = FindDirectory();
        byte[] directory = Read(start, size);
        int at = 0;
        for (long i = 0; i < count; i++) at += ReadEntry(directory.AsSpan(at));
        if (at != directory.Length)
            throw new InvalidDataException($"its zip directory has {directory.Length - at} bytes more than its {count} entries take");
    }

    public IEnumerable<ZipEntry> Entries => entries.Values;

    public ZipEntry? Find(string name) => entries.GetValueOrDefault(name);

    /// <summary>Reads a small entry as a whole.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or takes more than the file may.</exception>
    public byte[] ReadAll(ZipEntry entry)
    {
        if (entry.Length > Array.MaxLength)
            throw new InvalidDataException($"the zip entry {entry.Name} has {entry.Length} bytes, which is too much");
        budget.Charge(entry.IsDeflated ? entry.Length + entry.StoredLength : entry.Length);
        var bytes = new byte[entry.Length];
        Read(entry, 0, bytes);
        return bytes;
    }

    /// <summary>Fills a part of memory with an entry's bytes, from a position on; stored ones come straight from the file.</summary>
    /// <exception cref="InvalidDataException">They are damaged, or not all there.</exception>
    public void Read(ZipEntry entry, long position, Span<byte> part)
    {
        long start = DataStart(entry);
        if (!entry.IsDeflated)
        {
            ReadFile(start + position, part);
            return;
        }
        lock (entries)                                      // one at a time: each takes as much memory as it has in the file
        {
            var stored = new byte[entry.StoredLength];
            ReadFile(start, stored);
            Inflate(entry, stored, position, part);
        }
    }

    // An entry has a header of its own before its bytes. It is looked at with them, not for all entries beforehand: that would be slow
    // on a disk.
    private long DataStart(ZipEntry entry)
    {
        Span<byte> header = stackalloc byte[LocalLength];
        ReadFile(entry.HeaderStart, header);
        if (UInt32(header, 0) != LocalMark)
            throw new InvalidDataException($"the zip entry {entry.Name} does not begin where its directory says");
        long start = entry.HeaderStart + LocalLength + UInt16(header, 26) + UInt16(header, 28);
        if (start > length - entry.StoredLength)
            throw new InvalidDataException($"the zip entry {entry.Name} has {entry.StoredLength} bytes from byte {start} on; the"
                + $" file ends at {length}");
        return start;
    }

    private static void Inflate(ZipEntry entry, byte[] stored, long start, Span<byte> part)
    {
        using var inflating = new DeflateStream(new MemoryStream(stored), CompressionMode.Decompress);
        Span<byte> skipped = stackalloc byte[4096];
        bool complete = true;
        try
        {
            for (long left = start; left > 0 && complete;)
            {
                int count = inflating.Read(skipped[..(int)Math.Min(left, skipped.Length)]);
                left -= count;
                complete = count > 0;
            }
            complete = complete && inflating.ReadAtLeast(part, part.Length, throwOnEndOfStream: false) == part.Length;
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"the compressed zip entry {entry.Name} is damaged", e);
        }
        if (!complete)
            throw new InvalidDataException($"the zip entry {entry.Name} inflates to less than the {entry.Length} bytes that its"
                + " directory says");
    }

    // Where the directory is: the last thing in the file, before a comment.
    private (long Start, long Size, long Count) FindDirectory()
    {
        int tailLength = (int)Math.Min(length, EndLength + MaxComment);
        byte[] tail = Read(length - tailLength, tailLength);
        for (int at = tailLength - EndLength; at >= 0; at--)
        {
            if (UInt32(tail, at) != EndMark || at + EndLength + UInt16(tail, at + 20) != tailLength) continue;
            long end = length - tailLength + at;
            long count = UInt16(tail, at + 10), size = UInt32(tail, at + 12), start = UInt32(tail, at + 16);
            if (count == ushort.MaxValue || size == uint.MaxValue || start == uint.MaxValue)
                (start, size, count) = FindDirectory64(end, (start, size, count));
            if (start < 0 || size < 0 || start > end || size > end - start || count < 0 || count > size / EntryLength)
                throw new InvalidDataException($"its zip directory of {count} entries would be {size} bytes at byte {start}; the"
                    + $" file has {length}");
            return (start, size, count);
        }
        throw new InvalidDataException("its zip directory is missing (is it cut short?)");
    }

    private (long Start, long Size, long Count) FindDirectory64(long end, (long, long, long) small)
    {
        if (end < LocatorLength) return small;
        byte[] locator = Read(end - LocatorLength, LocatorLength);
        if (UInt32(locator, 0) != LocatorMark) return small;
        byte[] end64 = Read(Int64(locator, 8), End64Length);
        if (UInt32(end64, 0) != End64Mark) throw new InvalidDataException("its zip64 directory does not begin where it says");
        return (Int64(end64, 48), Int64(end64, 40), Int64(end64, 32));
    }

    private int ReadEntry(ReadOnlySpan<byte> at)
    {
        if (at.Length < EntryLength || UInt32(at, 0) != EntryMark) throw Damaged();
        int name = UInt16(at, 28), extra = UInt16(at, 30), whole = EntryLength + name + extra + UInt16(at, 32);
        if (whole > at.Length) throw Damaged();
        budget.Charge(320 + 3 * name);
        string path = Encoding.UTF8.GetString(at.Slice(EntryLength, name));
        long stored = UInt32(at, 20), held = UInt32(at, 24), start = UInt32(at, 42);
        ReadExtra(at.Slice(EntryLength + name, extra), ref held, ref stored, ref start);
        int flags = UInt16(at, 8), method = UInt16(at, 10);
        if ((flags & 1) != 0) throw new InvalidDataException($"the zip entry {path} is encrypted");
        if (method is not (0 or 8))
            throw new InvalidDataException($"the zip entry {path} is compressed by method {method}; only 0 (stored) and 8 (deflate)"
                + " are read");
        if (stored < 0 || held < 0 || start < 0 || stored > length || start > length - LocalLength || (method == 0 && held != stored))
            throw new InvalidDataException($"the zip entry {path} says that it is {stored} bytes at byte {start} and holds {held};"
                + $" the file has {length}");
        if (method == 8 && stored > Array.MaxLength)
            throw new InvalidDataException($"the zip entry {path} is compressed and has {stored} bytes; that is not read");
        if (!entries.TryAdd(path, new(path, method == 8, stored, held, start)))
            throw new InvalidDataException($"the zip entry {path} appears twice");
        return whole;
    }

    // zip64: each number that is too large for its place, in this order
    private static void ReadExtra(ReadOnlySpan<byte> extra, ref long held, ref long stored, ref long start)
    {
        while (extra.Length >= 4)
        {
            int size = UInt16(extra, 2);
            if (size > extra.Length - 4) return;
            if (UInt16(extra, 0) == 1)
            {
                var numbers = extra.Slice(4, size);
                Take(ref numbers, ref held);
                Take(ref numbers, ref stored);
                Take(ref numbers, ref start);
                return;
            }
            extra = extra[(4 + size)..];
        }

        static void Take(ref ReadOnlySpan<byte> numbers, ref long number)
        {
            if (number != uint.MaxValue || numbers.Length < 8) return;
            number = Int64(numbers, 0);
            numbers = numbers[8..];
        }
    }

    private byte[] Read(long start, long size)
    {
        if (start < 0 || size < 0 || start > length || size > length - start || size > Array.MaxLength)
            throw new InvalidDataException($"{size} bytes at byte {start} are not all in the file, which has {length}");
        budget.Charge(size);
        var bytes = new byte[size];
        ReadFile(start, bytes);
        return bytes;
    }

    private void ReadFile(long start, Span<byte> part)
    {
        if (!FileBytes.TryRead(file, start, part)) throw new InvalidDataException("the file has become shorter since it was opened");
    }

    private static InvalidDataException Damaged() => new("its zip directory is damaged");

    private static ushort UInt16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint UInt32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long Int64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}
