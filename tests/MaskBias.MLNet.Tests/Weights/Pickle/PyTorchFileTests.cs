using System.Buffers.Binary;
using System.IO.Compression;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Export;
using MaskBias.MLNet.Weights.Pickle;
using TorchSharp;
using static MaskBias.MLNet.Tests.Weights.Pickle.PickleBytes;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Weights.Pickle;

public sealed class PyTorchFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Optimal)]
    public void Views_of_one_storage_are_read(CompressionLevel compression)
    {
        byte[] storage = Storage("FloatStorage", "0", 12);
        string path = folder.File("views.pth");
        WriteZip(path, Dictionary(
            ("whole", Tensor(storage, 0, [3, 4], [4, 1])), ("transposed", Tensor(storage, 0, [4, 3], [1, 4])), ("row", Tensor(storage, 8, [4], [1])),
            ("column", Tensor(storage, 1, [3], [4])), ("scalar", Tensor(storage, 11, [], [])), ("empty", Tensor(storage, 12, [0, 5], [5, 1])),
            ("expanded", Tensor(storage, 2, [2, 3], [0, 1]))), [("0", Floats(12))], compression: compression);
        using var file = TensorFile.Open(path);
        using var scope = NewDisposeScope();
        var all = arange(12, ScalarType.Float32).reshape(3, 4);
        Assert.Equal(["whole", "transposed", "row", "column", "scalar", "empty", "expanded"], file.Entries.Select(e => e.Name));
        Check("whole", all);
        Check("transposed", all.t());
        Check("row", all[2]);
        Check("column", all[.., 1]);
        Check("scalar", all[2, 3]);
        Check("empty", empty(0, 5));
        Check("expanded", torch.tensor(new float[] { 2, 3, 4, 2, 3, 4 }).reshape(2, 3));

        void Check(string name, Tensor expected)
        {
            var read = file.Read(name);
            Assert.Equal(expected.shape, read.shape);
            Assert.True(read.is_contiguous());
            if (read.NumberOfElements == 0) return;
            Assert.Equal(expected.contiguous().data<float>().ToArray(), read.data<float>().ToArray());
            var into = zeros_like(read);
            file.ReadInto(name, into);
            Assert.Equal(read.data<float>().ToArray(), into.data<float>().ToArray());
        }
    }

    public static TheoryData<ScalarType> Types =>
    [
        ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32,
        ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool, ScalarType.ComplexFloat32, ScalarType.ComplexFloat64,
    ];

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_type_of_elements_reads_back_as_it_was_written(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var tensor = (arange(10) % (type == ScalarType.Bool ? 2 : 10)).to_type(type).reshape(2, 5);
        string path = folder.File("typed.bin");
        PyTorchWriter.Write(path, "state", [new("a.b", tensor), new("a.c", tensor[..1])]);
        using var file = TensorFile.Open(path);
        var read = file.Read("state.a.b");
        Assert.Equal(type, read.dtype);
        Assert.Equal(tensor.shape, read.shape);
        Assert.True(tensor.bytes.SequenceEqual(read.bytes));
        Assert.Equal([1L, 5], file.Read("state.a.c").shape);
    }

    [Fact]
    public void Containers_numbers_and_arguments_are_plain_data()
    {
        byte[] tensor = Tensor(Storage("FloatStorage", "0", 2), 0, [2], [1]);
        string path = folder.File("values.pth");
        WriteZip(path, Dictionary(
            ("weight", Join("ctorch._utils\n_rebuild_parameter\n(", tensor, "\u0088ccollections\nOrderedDict\n)RtR")),
            ("list", Join("](", tensor, "K\u0005e")), ("tuple", Join("K\x01N\x86")), ("set", Join("c__builtin__\nset\n](K\x01K\u0002e\x85R")),
            ("set4", Join("\x8f(K\x07\x90")), ("rate", Join("G", "\x3f\xb9\x99\x99\x99\x99\x99\x9a")), ("big", Join("\x8a\x0a", "\0\0\0\0\0\0\0\0\0\x01")),
            ("args", Join("cargparse\nNamespace\n)\x81", Dictionary(("arch", Text("vit_tiny")), ("patch_size", "K\x08"u8.ToArray()), ("resume", "N"u8.ToArray())), "b")),
            ("short", Join("\x8c\x02hi")), ("stacked", Join("\x8c\x0b" + "collections\x8c\x0bOrderedDict\x93)R")),
            ("old", Join("U\x03old")), ("bytes", Join("C\x02\x01\x02")), ("pairs", Join("ccollections\nOrderedDict\n]", Join("](", Text("k"), "K\u0003e"), "a\x85R"))),
            [("0", Floats(2))]);
        using var file = PyTorchFile.Open(path);
        Assert.Equal(["weight", "list.0"], file.Entries.Select(e => e.Name));
        var root = (PickleDictionary)file.Root!;
        Assert.Equal([1L, null], (object?[])root["tuple"]!);
        Assert.Equal([1L, 2L], ((PickleSet)root["set"]!).Items);
        Assert.Equal([7L], ((PickleSet)root["set4"]!).Items);
        Assert.Equal(0.1, root["rate"]);
        Assert.Equal(System.Numerics.BigInteger.Pow(2, 72), root["big"]);
        Assert.Equal("argparse.Namespace", ((PickleNamespace)root["args"]!).Type);
        Assert.Equal(("vit_tiny", "8"), (file.Metadata["args.arch"], file.Metadata["args.patch_size"]));
        Assert.Equal(0, ((PickleDictionary)root["stacked"]!).Count);
        Assert.Equal("old", root["old"]);
        Assert.Equal([1, 2], (byte[])root["bytes"]!);
        Assert.Equal(3L, ((PickleDictionary)root["pairs"]!)["k"]);
    }

    [Theory]
    [InlineData("cos\nsystem\n", "it names os.system")]
    [InlineData("cposix\nsystem\n", "posix.system")]
    [InlineData("c__builtin__\neval\n", "__builtin__.eval")]
    [InlineData("ctorch\nQInt8Storage\n", "torch.QInt8Storage")]
    [InlineData("ctorch._utils\n_rebuild_qtensor\n", "torch._utils._rebuild_qtensor")]
    [InlineData("ccollections\nOrderedDict\n(cos\nsystem\nt", "os.system")]
    [InlineData("(X\u0004\0\0\0hereios\nsystem\n", "operation 0x69")]
    [InlineData("\u0080\u0009", "protocol 9")]
    [InlineData("X\u00ff\u00ff\u00ff\u007fabc", "cut short")]
    [InlineData("h\u0007", "recalls value 7")]
    [InlineData("]q\0h\0a", "nested more than")]
    [InlineData("}K\u0001K\u0002R", "calls")]
    [InlineData("K\u0001)b", "takes more values|sets attributes")]
    [InlineData("e", "no beginning")]
    [InlineData("0", "more values than it has")]
    public void Pickles_that_do_more_than_describe_are_refused(string pickle, string fault)
    {
        string path = folder.File("bad.pth");
        WriteZip(path, Join(pickle), []);
        string message = Assert.Throws<InvalidDataException>(() => TensorFile.Open(path)).Message;
        Assert.Contains(path, message);
        Assert.Contains(fault.Split('|'), part => message.Contains(part));
    }

    [Fact]
    public void Values_that_multiply_are_refused()
    {
        // each dictionary holds the one before twice: 2^40 names
        byte[] laughs = Join("}q\0", Join(Enumerable.Range(0, 40).Select(i =>
            Join("}(", Text("left"), "h", new[] { (byte)i }, Text("right"), "h", new[] { (byte)i }, "uq", new[] { (byte)(i + 1) }))));
        Assert.Contains("more than", Refusal(laughs));
        Assert.Contains("memory", Refusal(Join(new string(']', 2_000_000)), CompressionLevel.Optimal));
        // some kilobytes that would be gigabytes
        byte[] storage = Storage("FloatStorage", "0", 4);
        Assert.Contains("more than twice", Refusal(Dictionary([.. Enumerable.Range(0, 100).Select(i => ($"t{i}", Tensor(storage, 0, [4096], [0])))])));
    }

    [Theory]
    [InlineData(CompressionLevel.Optimal, 1, 1)]
    [InlineData(CompressionLevel.NoCompression, 2, 9_999)]
    public void Elements_for_which_a_storage_is_read_again_and_again_are_refused(CompressionLevel compression, int count, int stride)
    {
        const int Length = 10_000;
        byte[] noise = new byte[Length * sizeof(float)], storage = Storage("FloatStorage", "0", Length);
        new Random(1).NextBytes(noise);
        string path = folder.File("few.pth"), bad = folder.File("many.pth");
        WriteZip(path, Tensors(10), [("0", noise)], compression: compression);
        WriteZip(bad, Tensors(100), [("0", noise)], compression: compression);
        using (var file = TensorFile.Open(path))
        using (var tensor = file.Read("t9")) Assert.True(tensor.bytes[^4..].SequenceEqual(noise.AsSpan(^4..)));
        Assert.Contains("bytes would be read for its tensors", Assert.Throws<InvalidDataException>(() => TensorFile.Open(bad)).Message);

        byte[] Tensors(int tensors) => Dictionary([.. Enumerable.Range(0, tensors)
            .Select(i => ($"t{i}", Tensor(storage, Length - 1 - (count - 1) * stride, [count], [stride])))]);
    }

    [Fact]
    public void A_text_that_is_encoded_again_and_again_is_refused()
    {
        // kept are 0 the text, 1 the function and 2 the name of the encoding
        byte[] kept = Join(Text(new string('a', 100_000)), "q\0", "0", "c_codecs\nencode\n", "q\u0001", "0", Text("latin1"), "q\u0002", "0");
        byte[] calls = Join(Enumerable.Repeat("h\u0001h\0h\u0002\u0086R0", 200));
        Assert.Contains("more memory", Refusal(Join(kept, calls, Dictionary())));
    }

    [Theory]
    [InlineData(new long[] { 3 }, new long[] { 1 }, 2, "has only 4 elements")]
    [InlineData(new long[] { 2, 2 }, new long[] { 3, 1 }, 0, "has only 4 elements")]
    [InlineData(new long[] { -1 }, new long[] { 1 }, 0, "impossible")]
    [InlineData(new long[] { 2 }, new long[] { -1 }, 1, "impossible")]
    [InlineData(new long[] { 2, 2 }, new long[] { 1 }, 0, "impossible")]
    [InlineData(new long[] { 2 }, new long[] { 1 }, -1, "impossible")]
    [InlineData(new long[] { long.MaxValue, long.MaxValue }, new long[] { 0, 0 }, 0, "has only 4 elements")]
    [InlineData(new long[] { 2 }, new long[] { long.MaxValue }, 0, "has only 4 elements")]
    [InlineData(new long[] { 2 }, new long[] { 1 }, long.MaxValue, "has only 4 elements")]
    public void Tensors_must_lie_in_their_storage(long[] shape, long[] strides, long offset, string fault) =>
        Assert.Contains(fault, Refusal(Dictionary(("t", Tensor(Storage("FloatStorage", "0", 4), offset, shape, strides)))));

    [Fact]
    public void Storages_must_be_there_and_as_long_as_named()
    {
        Assert.Contains("storage 7 is missing", Refusal(Dictionary(("t", Tensor(Storage("FloatStorage", "7", 4), 0, [4], [1])))));
        Assert.Contains("storage 0 has 16 bytes; 5 elements", Refusal(Dictionary(("t", Tensor(Storage("FloatStorage", "0", 5), 0, [4], [1])))));
        Assert.Contains("name of a storage", Refusal(Dictionary(("t", Tensor(Storage("FloatStorage", "0", -4), 0, [0], [1])))));
        Assert.Contains("t appears twice", Refusal(Join("}(", Text("a"), Dictionary(("t", Tensor(Storage("FloatStorage", "0", 4), 0, [4], [1]))),
            Text("a.t"), Tensor(Storage("FloatStorage", "0", 4), 0, [4], [1]), "u")));
    }

    [Fact]
    public void Other_byte_orders_and_formats_are_named()
    {
        string path = folder.File("big.pth");
        WriteZip(path, Dictionary(), [], byteOrder: "big");
        Assert.Contains("byte order is big", Assert.Throws<InvalidDataException>(() => TensorFile.Open(path)).Message);
        byte[] legacy = File.ReadAllBytes(Fixtures.Path("dino_vit/backbone_legacy.pth"));
        int little = legacy.AsSpan().IndexOf("little_endian"u8) + "little_endian".Length;
        legacy[legacy.AsSpan(little).IndexOf((byte)0x88) + little] = 0x89;
        Assert.Contains("byte order", Refused(legacy));
        Assert.Contains("Git LFS", Refused("version https://git-lfs.github.com/spec/v1\noid sha256:00"u8.ToArray()));
        Assert.Contains("a pickle that torch.save did not write", Refused([0x80, 4, (byte)'N', (byte)'.', 0, 0, 0, 0, 0, 0]));
        Assert.Contains("HDF5", Refused([0x89, (byte)'H', (byte)'D', (byte)'F', 13, 10, 26, 10, 0, 0]));
        Assert.Contains("cut short", Refused(File.ReadAllBytes(Fixtures.Path("dino_vit/backbone.pth"))[..100_000]));
        Assert.Contains("cut short", Refused(File.ReadAllBytes(Fixtures.Path("dino_vit/backbone_legacy.pth"))[..100_000]));
    }

    [Fact]
    public void Directories_of_large_archives_are_read()
    {
        string path = folder.File("large.pth");
        WriteZip(path, Dictionary(("t", Tensor(Storage("FloatStorage", "0", 4), 0, [4], [1]))), [("0", Floats(4))]);
        File.WriteAllBytes(path, WithZip64(File.ReadAllBytes(path)));
        using var file = TensorFile.Open(path);
        using var tensor = file.Read("t");
        Assert.Equal([0f, 1, 2, 3], tensor.data<float>().ToArray());
    }

    [Fact]
    public void A_view_in_an_old_file_is_a_part_of_its_storage()
    {
        byte[] view = Join("(", Text("storage"), "ctorch\nFloatStorage\n", Text("9"), Text("cpu"), Number(6), "(", Text("8"), Number(2), Number(3), "ttQ");
        byte[] header = Join("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02", Dictionary(("little_endian", [0x88])), ".");
        byte[] main = Join("\x80\x02", Dictionary(("t", Tensor(view, 1, [2], [1]))), ".\x80\x02](", Text("9"), "e.");
        string path = folder.File("old.pth");
        File.WriteAllBytes(path, [.. header, .. main, 6, 0, 0, 0, 0, 0, 0, 0, .. Floats(6)]);
        using var file = TensorFile.Open(path);
        using var tensor = file.Read("t");
        Assert.Equal([3f, 4], tensor.data<float>().ToArray());
    }

    // All numbers of the directory moved to where archives beyond 4 GiB keep them.
    private static byte[] WithZip64(byte[] zip)
    {
        int end = zip.Length - 22, start = (int)BinaryPrimitives.ReadUInt32LittleEndian(zip.AsSpan(end + 16)), count = BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(end + 10));
        var directory = new MemoryStream();
        int at = start;
        for (int i = 0; i < count; i++)
        {
            int name = BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(at + 28)), extra = BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(at + 30));
            byte[] entry = zip[at..(at + 46 + name)];
            byte[] large = [1, 0, 24, 0, .. Wide(entry, 24), .. Wide(entry, 20), .. Wide(entry, 42)];
            foreach (int place in (int[])[20, 24, 42]) entry.AsSpan(place, 4).Fill(255);
            BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(30), (ushort)large.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(32), 0);
            directory.Write([.. entry, .. large]);
            at += 46 + name + extra;
        }
        var end64 = new byte[56];
        "PK\x06\x06"u8.CopyTo(end64);
        BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(4), 44);
        foreach (int place in (int[])[24, 32]) BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(place), count);
        BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(40), directory.Length);
        BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(48), start);
        var locator = new byte[20];
        "PK\x06\x07"u8.CopyTo(locator);
        BinaryPrimitives.WriteInt64LittleEndian(locator.AsSpan(8), start + directory.Length);
        locator[16] = 1;
        byte[] last = zip[end..];
        last.AsSpan(8, 12).Fill(255);
        return [.. zip[..start], .. directory.ToArray(), .. end64, .. locator, .. last];

        static byte[] Wide(byte[] entry, int place) => [.. entry[place..(place + 4)], 0, 0, 0, 0];
    }

    private string Refusal(byte[] value, CompressionLevel compression = CompressionLevel.NoCompression)
    {
        string path = folder.File($"{Guid.NewGuid():N}.pth");
        WriteZip(path, value, [("0", Floats(4))], compression: compression);
        return Assert.Throws<InvalidDataException>(() => TensorFile.Open(path)).Message;
    }

    private string Refused(byte[] bytes)
    {
        string path = folder.File($"{Guid.NewGuid():N}.pth");
        File.WriteAllBytes(path, bytes);
        return Assert.Throws<InvalidDataException>(() => TensorFile.Open(path)).Message;
    }

    private static byte[] Floats(int count) => [.. Enumerable.Range(0, count).SelectMany(i => BitConverter.GetBytes((float)i))];
}
