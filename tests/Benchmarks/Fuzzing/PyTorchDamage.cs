using System.Buffers.Binary;
using System.Text;

namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>
/// Makes hostile files of a good one: pickles that name functions, hold themselves, nest or multiply without end, lie about lengths, shapes
/// and storages, and are damaged or cut anywhere; archives with damaged directories and with entries that inflate.
/// </summary>
internal sealed class PyTorchDamage
{
    private readonly PyTorchParts good;
    private readonly bool isLegacy;
    private readonly Random random;
    private readonly byte[][] pieces;
    private readonly List<int> operations = [], numbers = [];

    /// <param name="good">A good file.</param>
    /// <param name="isLegacy">Whether to use the format before 1.6.</param>
    /// <param name="ran">The file that a command in the pickles would create.</param>
    /// <param name="seed">Start of the random numbers.</param>
    public PyTorchDamage(PyTorchParts good, bool isLegacy, string ran, int seed)
    {
        (this.good, this.isLegacy, random) = (good, isLegacy, new(seed));
        pieces = [.. Commands(ran), .. Endless(), .. Lies()];
        FindOperations();
    }

    /// <summary>The next file.</summary>
    public byte[] Next()
    {
        byte[] pickle = good.Pickle;
        for (int i = random.Next(3); i > 0; i--) pickle = Change(pickle);
        var parts = good with { Pickle = pickle, Storages = random.Next(12) == 0 ? WithBomb() : good.Storages };
        byte[] file = isLegacy ? parts.Legacy() : parts.Zip(_ => random.Next(4) == 0);
        for (int i = random.Next(3); i > 0; i--) file[Place(file.Length)] = random.Next(3) == 0 ? (byte)255 : (byte)random.Next(256);
        return random.Next(6) == 0 ? file[..random.Next(1, file.Length)] : file;
    }

    private byte[] Change(byte[] pickle)
    {
        int at = operations[random.Next(operations.Count)];
        if (at >= pickle.Length) at = random.Next(pickle.Length);
        int end = Math.Min(pickle.Length, at + random.Next(1, 40));
        byte[] piece = pieces[random.Next(pieces.Length)];
        switch (random.Next(7))
        {
            case 0: return [.. pickle[..at], .. piece, .. pickle[at..]];
            case 1: return [.. pickle[..2], .. piece, .. pickle[2..]];
            case 2: return [.. pickle[..at], .. pickle[end..]];
            case 3: return [.. pickle[..end], .. pickle[at..]];
            case 4: return [.. pickle[..at], .. piece, (byte)'.'];
            default:
                // a number of a shape, a stride, a length or an offset
                int number = numbers[random.Next(numbers.Count)];
                if (number + 5 > pickle.Length || pickle[number] != (byte)'J') return pickle;
                byte[] value = new byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(value, random.Next(3) switch { 0 => -1, 1 => random.Next(100), _ => random.NextInt64() >> random.Next(64) });
                byte[] changed = random.Next(2) == 0 ? [(byte)'J', .. value[..4]] : [0x8a, 8, .. value];
                return [.. pickle[..number], .. changed, .. pickle[(number + 5)..]];
        }
    }

    // Mostly where descriptions are: at the beginning of the older format, at the end of the archive.
    private int Place(int length)
    {
        int description = isLegacy ? Math.Min(length, good.Pickle.Length) : length / 5;
        return random.Next(3) == 0 ? random.Next(length) : isLegacy ? random.Next(description) : length - 1 - random.Next(description);
    }

    private List<byte[]> WithBomb()
    {
        List<byte[]> storages = [.. good.Storages];
        storages[random.Next(storages.Count)] = new byte[random.Next(1 << 20)];
        return storages;
    }

    private static IEnumerable<byte[]> Commands(string ran)
    {
        byte[] command = PyTorchParts.Text($"touch {ran}");
        foreach (string name in (string[])["os system", "posix system", "builtins exec", "__builtin__ eval", "subprocess Popen", "torch load", "runpy run_path"])
        {
            string[] parts = name.Split(' ');
            yield return [.. Encoding.ASCII.GetBytes($"c{parts[0]}\n{parts[1]}\n("), .. command, (byte)'t', (byte)'R'];
            yield return [.. PyTorchParts.Text(parts[0]), .. PyTorchParts.Text(parts[1]), 0x93, .. command, 0x85, (byte)'R'];
            yield return [(byte)'(', .. command, .. Encoding.ASCII.GetBytes($"i{parts[0]}\n{parts[1]}\n")];
        }
        yield return [.. "ccollections\ndefaultdict\ncos\nsystem\n"u8, 0x85, (byte)'R'];
        yield return [.. "ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nN("u8, .. command, .. "tNtR"u8];
        yield return [.. "cargparse\nNamespace\n)\x81}"u8, .. PyTorchParts.Text("__reduce__"), .. "cos\nsystem\nsb"u8];
    }

    private static IEnumerable<byte[]> Endless()
    {
        yield return "]q\0h\0a"u8.ToArray();
        yield return [.. "}q\x01"u8, .. PyTorchParts.Text("a"), .. "h\x01s"u8];
        foreach (string operation in (string[])["]", "(", "N", "}", ")", "2", "K\x01", "]2a", "\x8f", "N\x85"])
            yield return [.. Enumerable.Repeat(Encoding.Latin1.GetBytes(operation), 20_000).SelectMany(b => b)];
        // each list holds the one before twice; each dictionary too
        yield return [.. "]q\0"u8, .. Enumerable.Range(0, 60).SelectMany(i => (byte[])[(byte)']', (byte)'(', (byte)'h', (byte)i, (byte)'h', (byte)i, (byte)'e', (byte)'q', (byte)(i + 1)])];
        yield return [.. "}q\0"u8, .. Enumerable.Range(0, 60).SelectMany(i => (byte[])
            [(byte)'}', (byte)'(', .. PyTorchParts.Text("left"), (byte)'h', (byte)i, .. PyTorchParts.Text("right"), (byte)'h', (byte)i, (byte)'u', (byte)'q', (byte)(i + 1)])];
        yield return [.. Enumerable.Range(0, 400).SelectMany(i => PyTorchParts.Text(new string('n', 500)).Append((byte)'}')), .. Enumerable.Repeat((byte)'s', 400)];
    }

    private static IEnumerable<byte[]> Lies()
    {
        byte[] ones = [255, 255, 255, 255, 255, 255, 255, 255], large = [255, 255, 255, 127];
        foreach (byte operation in (byte[])[(byte)'X', (byte)'T', (byte)'B', 0x8b, (byte)'j', (byte)'r']) yield return [operation, .. large];
        foreach (byte operation in (byte[])[0x8d, 0x8e, 0x96, 0x95]) yield return [operation, .. ones];
        foreach (byte operation in (byte[])[(byte)'Q', (byte)'b', (byte)'R', 0x81, 0x92, (byte)'s', (byte)'u', (byte)'e', (byte)'0', (byte)'1', 0x80, 0x82, 0x97, (byte)'h'])
            yield return [operation];
        yield return [.. "(X\x07\0\0\0storagectorch\nFloatStorage\nX\x02\0\0\0no"u8, .. PyTorchParts.Text("cpu"), 0x8a, 8, .. ones[..7], 127, (byte)'t', (byte)'Q'];
    }

    // Where the operations of the good pickle begin, of those that the writer uses.
    private void FindOperations()
    {
        byte[] pickle = good.Pickle;
        for (int at = 0; at < pickle.Length;)
        {
            operations.Add(at);
            if (pickle[at] == 'J') numbers.Add(at);
            at += pickle[at] switch
            {
                (byte)'X' => 5 + BinaryPrimitives.ReadInt32LittleEndian(pickle.AsSpan(at + 1)),
                (byte)'J' => 5,
                (byte)'c' => Array.IndexOf(pickle, (byte)'\n', Array.IndexOf(pickle, (byte)'\n', at) + 1) + 1 - at,
                0x80 => 2,
                0x8a => 2 + pickle[at + 1],
                _ => 1,
            };
        }
    }
}
