using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using MaskBias.MLNet.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Weights;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("dino_vit/backbone.safetensors")]
    [InlineData("dino_step/init.safetensors")]
    [InlineData("dino_head/heads.safetensors")]
    public void ListsAndReadsWhatTheManifestDeclares(string name)
    {
        string path = Fixtures.Path(name);
        using var manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "manifest.json")));
        var declared = manifest.RootElement.GetProperty("files").GetProperty(Path.GetFileName(path)).GetProperty("tensors");
        using var file = SafetensorsFile.Open(path);
        using var scope = NewDisposeScope();

        Assert.Equal(declared.EnumerateObject().Select(t => t.Name).Order(), file.Entries.Select(e => e.Name).Order());
        foreach (var tensor in declared.EnumerateObject())
        {
            long[] shape = tensor.Value[1].EnumerateArray().Select(d => d.GetInt64()).ToArray();
            var read = file.Read(tensor.Name);
            Assert.Equal(shape, file.Entries.Single(e => e.Name == tensor.Name).Shape);
            Assert.Equal(shape, read.shape);
            Assert.Equal(tensor.Value[0].GetString(), SafetensorsTypes.NameOf(read.dtype));
            if (read.is_floating_point()) Assert.True(read.isfinite().all().item<bool>());
        }
    }

    [Fact]
    public void ReadsKnownBytes()
    {
        string path = Write("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I16","shape":[],"data_offsets":[8,10]},"__metadata__":{"k":"v"}} """,
            [0, 0, 128, 63, 0, 0, 32, 192, 254, 255]);
        using var file = SafetensorsFile.Open(path);
        using var scope = NewDisposeScope();
        Assert.Equal([1f, -2.5f], file.Read("a").data<float>().ToArray());
        Assert.Equal(-2, file.Read("b").item<short>());
        Assert.Equal("v", file.Metadata["k"]);
        Assert.True(file.Contains("a"));
        Assert.False(file.Contains("c"));
    }

    [Fact]
    public void TensorBelongsToTheCallersScope()
    {
        using var file = SafetensorsFile.Open(Fixtures.Path("dino_vit/backbone.safetensors"));
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (NewDisposeScope())
        {
            file.Read("cls_token");
            Assert.Equal(before + 1, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void NamesTheTensorsThereAre()
    {
        using var file = SafetensorsFile.Open(Fixtures.Path("dino_vit/backbone.safetensors"));
        var error = Assert.Throws<KeyNotFoundException>(() => file.Read("nope"));
        Assert.Contains("nope", error.Message);
        Assert.Contains("cls_token", error.Message);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} x""", 8, "JSON")]
    [InlineData("", 0, "JSON")]
    [InlineData("""{"a":""", 8, "JSON")]
    [InlineData("[]", 0, "StartArray")]
    [InlineData("""{"a":[[[[[[1]]]]]]}""", 0, "a is StartArray")]
    [InlineData("""{"a":{"dtype":"F32","shape":[[[[2]]]],"data_offsets":[0,8]}}""", 8, "tensor a: shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "tensor a: it appears twice")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"}}""", 0, "k appears twice")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "__metadata__.k is Number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}""", 8, "tensor a: its property shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "tensor a: it lacks")]
    [InlineData("""{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}""", 8, "tensor a: dtype is F31; it must be one of F64")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "tensor a: shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "tensor a: shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "tensor a: it has 8 bytes; F32 [3] takes 12")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4,4611686018427387904,4],"data_offsets":[0,8]}}""", 8, "too large")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4611686018427387904,4611686018427387904],"data_offsets":[0,0]}}""", 0, "too large")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}""", 0, "too large")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "tensor a: data_offsets are [8, 0]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}""", 8, "tensor a: data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "tensor a: its data end at byte 8; the file holds 7")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "cover 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "tensor a: its data begin at byte 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "tensor b: its data begin at byte 4")]
    public void RefusesAndNamesTheFault(string header, int dataLength, string fault)
    {
        string path = Write(header, new byte[dataLength]);
        var error = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path));
        Assert.Contains(fault, error.Message);
        Assert.Contains(Path.GetFileName(path), error.Message);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(100_000_001UL)]
    [InlineData(ulong.MaxValue)]
    [InlineData(1_000UL)]
    public void RefusesImpossibleHeaderLengths(ulong length)
    {
        string path = folder.File("length.safetensors");
        byte[] bytes = new byte[64];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        File.WriteAllBytes(path, bytes);
        Assert.Contains("header", Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path)).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void RefusesFilesWithoutHeader(int length)
    {
        string path = folder.File("short.safetensors");
        File.WriteAllBytes(path, new byte[length]);
        Assert.Contains($"it has {length} bytes", Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path)).Message);
    }

    [Fact]
    public void RefusesBooleansThatAreNeither()
    {
        using var file = SafetensorsFile.Open(Write("""{"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}}""", [0, 1, 2]));
        Assert.Contains("tensor a", Assert.Throws<InvalidDataException>(() => file.Read("a")).Message);
    }

    [Fact]
    public void A_file_cut_short_while_it_is_open_is_an_error()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "An open file cannot be cut short there.");
        string path = Write("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", new byte[8]);
        using var file = SafetensorsFile.Open(path);
        using (var other = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) other.SetLength(other.Length - 4);
        Assert.Contains("tensor a: the file has become shorter", Assert.Throws<InvalidDataException>(() => file.Read("a")).Message);
    }

    [Fact]
    public void SurvivesRandomDamage()
    {
        byte[] good = File.ReadAllBytes(Fixtures.Path("dino_vit/backbone.safetensors"));
        int header = (int)BinaryPrimitives.ReadInt64LittleEndian(good) + 8;
        var random = new Random(5);
        string path = folder.File("damaged.safetensors");
        for (int round = 0; round < 3000; round++)
        {
            byte[] bad = good[..random.Next(good.Length / 2, good.Length + 1)];
            for (int i = 0; i < 3; i++) bad[random.Next(header)] = (byte)random.Next(256);
            File.WriteAllBytes(path, bad);
            try
            {
                using var file = SafetensorsFile.Open(path);
                using var scope = NewDisposeScope();
                foreach (var entry in file.Entries) Assert.Equal(entry.Shape, file.Read(entry.Name).shape);
            }
            catch (InvalidDataException)
            {
                // refused: as good as read
            }
        }
    }

    private string Write(string header, byte[] data)
    {
        string path = folder.File($"{Guid.NewGuid():N}.safetensors");
        byte[] json = Encoding.UTF8.GetBytes(header), length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        File.WriteAllBytes(path, [.. length, .. json, .. data]);
        return path;
    }
}
