using System.Buffers.Binary;
using System.IO.Compression;
using Google.Protobuf;
using MaskBias.MLNet.Extensions.Models;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Extensions;

[Collection(nameof(LiveTensors))]               // threads of the process are counted
public sealed class ServedModelTests(ServedModels models) : IClassFixture<ServedModels>
{
    private const int Side = 32;

    [Fact]
    public void Images_beyond_any_use_are_refused()
    {
        var model = ServedModel.Load(WriteOnnx(Side), threads: 1);
        Assert.Equal((Side, 3), (model.ImageSize, model.Dimensions));
        model.Release();
        string path = WriteOnnx(side: 65_535);
        string message = Assert.Throws<InvalidDataException>(() => ServedModel.Load(path, threads: 1)).Message;
        Assert.Contains("3, 65535, 65535]", message);
        Assert.Contains("S at most 4096", message);
    }

    [Fact]
    public void A_graph_that_takes_no_number_of_images_but_one_is_refused()
    {
        string path = models.In("batches.onnx");
        using (var encoder = TinyEncoders.Plain()) OnnxEncoder.Export(encoder, path, new() { BatchSize = 4 });
        string message = Assert.Throws<InvalidDataException>(() => ServedModel.Load(path, threads: 1)).Message;
        Assert.Contains("computes 4 images at a time", message);
        Assert.Contains("Export it without OnnxExportOptions.BatchSize", message);
        path = WriteOnnx(Side, oneRow: true);                  // which says that it takes any number
        Assert.Contains("cannot be served", Assert.Throws<InvalidDataException>(() => ServedModel.Load(path, threads: 1)).Message);
    }

    [Fact]
    public async Task A_refused_or_released_model_leaves_no_session_behind()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The threads of sessions are counted in /proc.");
        const string Name = "refused-models";
        string[] refused = [WriteOnnx(side: 65_535), WritePipelineThatEndsWithItsGraph()];
        Action[] loads =
        [
            .. refused.Select<string, Action>(path => () => Assert.Throws<InvalidDataException>(() => ServedModel.Load(path, threads: 4))),
            () => ServedModel.Load(models.NearestNeighbors, threads: 4).Release(),
        ];
        await Task.Factory.StartNew(() =>
        {
            Thread.CurrentThread.Name = Name;                   // which the threads of its sessions inherit
            var served = ServedModel.Load(models.Onnx, threads: 4);
            Assert.True(ThreadsNamed(Name) > 1);
            served.Release();
            int before = ThreadsNamed(Name);
            foreach (var (number, load) in loads.Index())
            {
                for (int i = 0; i < 5; i++) load();
                // ML.NET's own threads, which classify, end after a while without work.
                SpinWait.SpinUntil(() => ThreadsNamed(Name) <= before, TimeSpan.FromSeconds(20));
                Assert.True(ThreadsNamed(Name) <= before, $"load {number}: {before} threads before, {ThreadsNamed(Name)} after");
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    [Fact]
    public void A_length_that_a_file_only_claims_takes_no_memory()
    {
        byte[] zip = ZipThatClaims(1_500_000_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        string message = Assert.Throws<InvalidDataException>(() => ModelFile.Read(zip, "model.zip")).Message;
        Assert.Contains("'model.zip' ends after 100 of 1500000000 bytes", message);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 16 << 20);
    }

    [Fact]
    public void A_file_too_long_to_be_read_is_named()
    {
        string path = models.In("long.onnx");
        using (var file = File.Create(path)) file.SetLength((2L << 30) + 1);            // a hole, which takes no space
        string message = Assert.Throws<InvalidDataException>(() => ServedModel.Load(path, threads: 1)).Message;
        Assert.Contains($"'{path}' has 2147483649 bytes; a model file may have at most 2147483583", message);
        File.Delete(path);
    }

    // The mean colour of an image.
    private string WriteOnnx(long side, bool oneRow = false)
    {
        var graph = new OnnxGraph(OnnxGraph.BatchDimension, halfPrecision: false, "pixels", "features");
        string pixels = graph.Input("pixels", 3, side, side);
        string pooled = graph.Node("pooled", "GlobalAveragePool", [pixels]);
        if (oneRow) graph.Output("features", [3], "Reshape", [pooled, graph.Integers("shape", 1, 3)]);
        else graph.Output("features", [3], "Flatten", [pooled]);
        string path = models.In($"mean{side}{oneRow}.onnx");
        File.WriteAllBytes(path, graph.Build("mean colour").ToByteArray());
        return path;
    }

    private string WritePipelineThatEndsWithItsGraph()
    {
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable([new Row()]);
        string path = models.In("graph.zip");
        var fitted = ml.Transforms.ApplyOnnxModel("features", "pixels", WriteOnnx(Side)).Fit(data);
        ml.Model.Save(fitted, data.Schema, path);
        fitted.Dispose();
        return path;
    }

    private static byte[] ZipThatClaims(int length)
    {
        byte[] entry = new byte[4 + 100];
        BinaryPrimitives.WriteInt32LittleEndian(entry, length);
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var written = zip.CreateEntry("TransformerChain/OnnxModel").Open();
            written.Write(entry);
        }
        byte[] bytes = stream.ToArray();
        int directory = bytes.AsSpan().IndexOf("PK\u0001\u0002"u8);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(directory + 24), 4 + length);          // of the entry, inflated
        return bytes;
    }

    private static int ThreadsNamed(string name) => Directory.GetDirectories("/proc/self/task").Count(task => NameOf(task) == name);

    private static string? NameOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).TrimEnd();
        }
        catch (IOException)
        {
            return null;                // it has ended meanwhile
        }
    }

    private sealed class Row
    {
        [ColumnName("pixels"), VectorType(3 * Side * Side)]
        public float[] Pixels { get; set; } = new float[3 * Side * Side];
    }
}
