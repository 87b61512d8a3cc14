using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Samples.Nightly;
using MaskBias.MLNet.Tests.Extensions;
using MaskBias.MLNet.Tests.Images;
using Microsoft.Extensions.DependencyInjection;
using Parquet.Serialization;

namespace MaskBias.MLNet.Tests.Samples;

public sealed class NightlyJobTests(ServedModels models) : IClassFixture<ServedModels>
{
    [Fact]
    public async Task It_embeds_only_what_is_new_or_changed_or_of_another_model()
    {
        using var folder = new TempFolder();
        string output = models.In($"{Guid.NewGuid():N}.parquet");
        for (int i = 0; i < 5; i++) folder.Write($"sub/{i}.png", SampleImages.Shape(i % 3, i));
        folder.Write("bad.jpg", "no image"u8.ToArray());
        folder.Write("notes.txt", "no image"u8.ToArray());
        Assert.Equal((5, 0, 0, 1), await Run(models.Onnx));
        Assert.Equal((0, 5, 0, 1), await Run(models.Onnx));

        folder.Write("sub/1.png", SampleImages.Shape(2, 77));
        folder.Write("new.png", SampleImages.Shape(0, 78));
        File.Delete(Path.Combine(folder.Path, "sub", "0.png"));
        Assert.Equal((2, 3, 1, 1), await Run(models.Onnx));
        Assert.Equal((5, 0, 0, 1), await Run(models.OtherOnnx));

        var rows = (await ParquetSerializer.DeserializeAsync<EmbeddedFile>(File.OpenRead(output))).Data;
        Assert.Equal(["new.png", "sub/1.png", "sub/2.png", "sub/3.png", "sub/4.png"], rows.Select(r => r.Path));
        Assert.All(rows, r => Assert.Equal(24, r.Embedding.Count));

        async Task<(int, int, int, int)> Run(string model)
        {
            await using var app = new ServiceCollection().AddMaskBiasEmbeddings(o => o.ModelPath = model).BuildServiceProvider();
            var log = new StringWriter();
            var result = await new NightlyJob(app.GetRequiredService<IImageEmbedder>(), log).RunAsync(folder.Path, output, CancellationToken.None);
            Assert.Contains("bad.jpg' (8 bytes) is not an image", log.ToString());
            return result;
        }
    }
    [Fact]
    public async Task The_program_does_so_from_the_command_line()
    {
        using var folder = new TempFolder();
        folder.Write("a.png", SampleImages.Shape(1, 1));
        string output = models.In($"{Guid.NewGuid():N}/embeddings.parquet");
        var (code, text, errors) = BuiltProgram.Run("src/Samples/Nightly", "Nightly", models.Onnx, folder.Path, output);
        Assert.True(code == 0, text + errors);
        Assert.Single((await ParquetSerializer.DeserializeAsync<EmbeddedFile>(File.OpenRead(output))).Data);
        (code, _, errors) = BuiltProgram.Run("src/Samples/Nightly", "Nightly", models.Onnx, folder.Path, Path.Combine(output, "below-a-file.parquet"));
        Assert.True(code == 1 && errors.TrimEnd().EndsWith("The file is as it was.", StringComparison.Ordinal), errors);
    }
}
