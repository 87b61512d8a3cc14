using System.Diagnostics.Metrics;
using Google.Protobuf;
using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Tests.Images;
using MaskBias.MLNet.Weights.Onnx.Proto;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace MaskBias.MLNet.Tests.Extensions;

public sealed class ServiceRegistrationTests(ServedModels models) : IClassFixture<ServedModels>
{
    [Fact]
    public async Task Models_with_keys_are_served_beside_one_without()
    {
        var keys = new List<object?>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (i, _) =>
        {
            if (i.Name == "maskbias.queue.length") lock (keys) keys.AddRange(i.Meter.Tags?.Select(t => t.Value) ?? []);
        };
        listener.Start();
        await using var app = new ServiceCollection()
            .AddMaskBiasEmbeddings(o => o.ModelPath = models.Onnx)
            .AddKeyedMaskBiasEmbeddings("shapes", o => o.ModelPath = models.Classifier)
            .AddKeyedMaskBiasEmbeddings("other", o => o.ModelPath = models.OtherOnnx)
            .BuildServiceProvider();
        var image = ImageInput.FromBytes(SampleImages.Shape(1, 1));
        IImageEmbedder[] embedders =
        [
            app.GetRequiredService<IImageEmbedder>(), app.GetRequiredKeyedService<IImageEmbedder>("shapes"),
            app.GetRequiredKeyedService<IImageEmbedder>("other"),
        ];
        Assert.Equal(3, embedders.Select(e => e.ModelId).Distinct().Count());
        foreach (var embedder in embedders) Assert.Equal(embedder.ModelId, (await embedder.EmbedAsync(image)).ModelId);
        Assert.Same(embedders[1], app.GetRequiredKeyedService<IImageClassifier>("shapes"));
        Assert.Same(embedders[2], app.GetRequiredKeyedService<IEmbeddingGenerator<DataContent, Embedding<float>>>("other"));
        Assert.Empty(app.GetRequiredService<IImageClassifier>().Classes);
        var health = await app.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Equal(["maskbias", "maskbias:other", "maskbias:shapes"], health.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(embedders[1].ModelId, health.Entries["maskbias:shapes"].Data["model"]);
        lock (keys) Assert.Superset(new HashSet<object?> { "shapes", "other" }, keys.ToHashSet());
    }

    [Fact]
    public void A_second_model_of_the_same_key_is_refused()
    {
        var services = new ServiceCollection().AddMaskBiasEmbeddings(o => o.ModelPath = models.Onnx)
            .AddKeyedMaskBiasEmbeddings("shapes", o => o.ModelPath = models.Onnx);
        string message = Assert.Throws<InvalidOperationException>(() => services.AddMaskBiasEmbeddings(o => o.ModelPath = models.OtherOnnx)).Message;
        Assert.Contains("a model without a key in these services already", message);
        Assert.Contains("AddKeyedMaskBiasEmbeddings", message);
        message = Assert.Throws<InvalidOperationException>(() => services.AddKeyedMaskBiasEmbeddings("shapes", o => { })).Message;
        Assert.Contains("a model with the key 'shapes'", message);
    }

    [Fact]
    public async Task A_host_says_of_all_models_at_once_why_they_cannot_be_served()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddMaskBiasEmbeddings(o => (o.ModelPath, o.MaxBatchSize) = (models.Onnx, 0));
        builder.Services.AddKeyedMaskBiasEmbeddings("shapes", o => o.ModelPath = "nowhere.zip");
        using var host = builder.Build();
        var fault = await Assert.ThrowsAsync<AggregateException>(() => host.StartAsync());
        Assert.All(fault.InnerExceptions, e => Assert.IsType<OptionsValidationException>(e));
        Assert.Contains("MaxBatchSize is 0", fault.Message);
        Assert.Contains("The model with key 'shapes': ModelPath 'nowhere.zip' does not exist", fault.Message);
    }

    [Fact]
    public async Task A_graph_that_another_program_wrote_is_warned_of()
    {
        string foreign = models.In("foreign.onnx");
        var graph = ModelProto.Parser.ParseFrom(File.ReadAllBytes(models.Onnx));
        graph.ProducerName = "pytorch";
        File.WriteAllBytes(foreign, graph.ToByteArray());
        string warning = Assert.Single(await Warnings(foreign));
        Assert.Contains("was written by 'pytorch', not by MaskBias.MLNet: it gets R, G and B in 0 to 255, not normalised", warning);
        foreach (string path in new[] { models.Onnx, models.Classifier }) Assert.Empty(await Warnings(path));
    }

    private static async Task<string[]> Warnings(string path)
    {
        using var log = new LogLines();
        await using var app = new ServiceCollection().AddLogging(l => l.AddProvider(log))
            .AddMaskBiasEmbeddings(o => o.ModelPath = path).BuildServiceProvider();
        _ = app.GetRequiredService<IImageEmbedder>().ModelId;
        return [.. log.Lines.Where(l => l.Level == LogLevel.Warning).Select(l => l.Text)];
    }
}
