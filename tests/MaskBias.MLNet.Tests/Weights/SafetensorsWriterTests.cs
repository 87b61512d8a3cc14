using System.Buffers.Binary;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Weights;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public SafetensorsWriterTests() => TorchRuntime.EnsureLoaded();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void RoundTripsEveryTypeAndShape()
    {
        using var scope = NewDisposeScope();
        var whole = arange(24, dtype: ScalarType.Int64).view(2, 3, 4) - 7;
        var tensors = new Dictionary<string, Tensor>
        {
            ["i8"] = whole.to(ScalarType.Int8), ["bool"] = whole > 3, ["u8"] = whole.abs().to(ScalarType.Byte),
            ["f16"] = (whole / 3.0).to(ScalarType.Float16), ["bf16"] = (whole / 3.0).to(ScalarType.BFloat16),
            ["i16"] = whole.to(ScalarType.Int16), ["i32"] = whole.to(ScalarType.Int32), ["i64"] = whole,
            ["f32"] = rand(5, 1, 7), ["f64"] = rand(3, dtype: ScalarType.Float64),
            ["scalar"] = tensor(1.5f), ["empty"] = zeros(0, 3), ["ünïcode \"quoted\"\n"] = ones(2),
            ["transposed"] = rand(4, 6).t(), ["sliced"] = rand(10, 4)[3..7, 1..3], ["gradient"] = rand(3, requires_grad: true),
        };
        string path = folder.File("nested/all.safetensors");
        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string> { ["format"] = "pt", ["note"] = "Grüße" });

        using var file = SafetensorsFile.Open(path);
        Assert.Equal(tensors.Count, file.Entries.Count);
        Assert.Equal("Grüße", file.Metadata["note"]);
        foreach (var (name, expected) in tensors)
        {
            var read = file.Read(name);
            Assert.Equal(expected.dtype, read.dtype);
            Assert.Equal(expected.shape, read.shape);
            Assert.True(read.bytes.SequenceEqual(expected.detach().contiguous().bytes), name);
        }
        foreach (var entry in file.Entries) Assert.Equal(0, entry.Offset % SafetensorsTypes.SizeOf(entry.DType));
    }

    [Fact]
    public void PadsTheHeaderToEightBytes()
    {
        for (int length = 1; length <= 8; length++)
        {
            string path = folder.File("padded.safetensors");
            using var one = ones(1);
            SafetensorsWriter.Write(path, [new(new string('n', length), one)]);
            Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(path)) % 8);
        }
    }

    [Fact]
    public void FailureLeavesTheOldFileAndNothingElse()
    {
        string path = folder.File("kept.safetensors");
        using var first = ones(3);
        SafetensorsWriter.Write(path, [new("a", first)]);
        byte[] before = File.ReadAllBytes(path);

        IEnumerable<KeyValuePair<string, Tensor>> Failing()
        {
            yield return new("a", first);
            throw new IOException("lost");
        }
        Assert.Throws<IOException>(() => SafetensorsWriter.Write(path, Failing()));
        Assert.Throws<IOException>(() => AtomicFile.Write(path, stream => { stream.Write(new byte[100]); throw new IOException("disk full"); }));

        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal(["kept.safetensors"], folder.Names);
    }

    [Fact]
    public void RefusesNamesAndTypesThatTheFormatLacks()
    {
        using var scope = NewDisposeScope();
        string path = folder.File("no.safetensors");
        Assert.Contains("named a", Refusal([new("a", ones(1)), new("a", ones(1))]));
        Assert.Contains("__metadata__", Refusal([new("__metadata__", ones(1))]));
        Assert.Contains("ComplexFloat32", Refusal([new("c", zeros(2, dtype: ScalarType.ComplexFloat32))]));
        Assert.Empty(folder.Names);

        string Refusal(KeyValuePair<string, Tensor>[] tensors) =>
            Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(path, tensors)).Message;
    }

    [Fact]
    public void LeavesNoTensorsBehind()
    {
        using var input = rand(4, 6);
        using var view = input.t();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        SafetensorsWriter.Write(folder.File("leak.safetensors"), [new("a", view)]);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
