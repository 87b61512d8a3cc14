using System.Diagnostics;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// Embedding JPEG files of 256 to 500 pixels by ViT-S/16 at 224, in a pipeline and one by one, before and after saving, against a bare ONNX
/// Runtime session that is handed ready tensors.
/// </summary>
internal static class EmbedBenchmark
{
    private const int Photos = 48, Rounds = 3;
    private static readonly int[] BatchSizes = [1, 4, 8, 16, 32];

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        string folder = Directory.CreateTempSubdirectory("maskbias-embed-").FullName;
        try
        {
            Measure(output, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Measure(TextWriter output, string folder)
    {
        var files = SyntheticPhotos.Write(folder, Photos, shortest: 256, longest: 500);
        using var encoder = new VisionEncoder(new VisionTransformer(VitOptions.Small(), seed: 1));
        string graph = Path.Combine(folder, "encoder.onnx"), saved = Path.Combine(folder, "model.zip");
        OnnxEncoder.Export(encoder, graph);
        var ml = new MLContext(seed: 1);
        var data = ml.Data.LoadFromEnumerable(files.Select(f => new Row { Image = f }));
        var model = ml.SelfSupervised().EmbedImages("Features", "Image", encoder).Fit(data);
        ml.Model.Save(model, data.Schema, saved);
        var loaded = ml.Model.Load(saved, out _);

        using var session = new InferenceSession(graph);
        int size = encoder.ImageSize, length = 3 * size * size;
        var pixels = new float[BatchSizes.Max() * length];
        int best = BatchSizes.MinBy(batch => Timing.Medians(Rounds, () => Bare(batch))[0]);

        double[] decoding = Timing.Medians(Rounds, () =>
        {
            foreach (string file in files)
            {
                using var bitmap = ImageDecoder.DecodeBitmap(File.ReadAllBytes(file), file, applyOrientation: false);
                IsoCropResizer.Resize(bitmap, size, pixels.AsSpan(0, length));
            }
        });
        double[] together = Timing.Medians(Rounds, () => Bare(best), () => Pipeline(model), () => Pipeline(loaded));
        Print($"a bare session {Photos / together[0]:0.0} images/s at its best batch, {best}; decoding and resizing {decoding[0] / Photos * 1000:0.00} ms an image on one core");
        Print($"EmbedImages {Photos / together[1]:0.0} images/s: {together[0] / together[1]:0.00} of it (at least 0.95 wanted)");
        Print($"EmbedImages saved and loaded {Photos / together[2]:0.0} images/s: {together[0] / together[2]:0.00} of it (at least 0.95 wanted)");

        using var before = ml.Model.CreatePredictionEngine<Row, Embedding>(model);
        using var after = ml.Model.CreatePredictionEngine<Row, Embedding>(loaded);
        double[] single = Timing.Medians(Rounds, () => Bare(1), () => OneByOne(before), () => OneByOne(after));
        Print($"one by one: a bare session {Photos / single[0]:0.0} images/s; PredictionEngine {Photos / single[1]:0.0}: {single[0] / single[1]:0.00} of it; saved and loaded {Photos / single[2]:0.0}: {single[0] / single[2]:0.00} of it (at least 0.95 wanted)");

        void Bare(int batch)
        {
            for (int done = 0; done < Photos; done += batch)
            {
                int rows = Math.Min(batch, Photos - done);
                using var input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, pixels.AsMemory(0, rows * length), [rows, 3, size, size]);
                using var options = new RunOptions();
                using var result = session.Run(options, session.InputNames, [input], session.OutputNames);
            }
        }

        void Pipeline(ITransformer transformer)
        {
            int rows = 0;
            foreach (float[] features in transformer.Transform(data).GetColumn<float[]>("Features")) rows += features.Length > 0 ? 1 : 0;
            Trace.Assert(rows == Photos);
        }

        void OneByOne(PredictionEngine<Row, Embedding> engine)
        {
            foreach (string file in files) engine.Predict(new() { Image = file });
        }

        void Print(FormattableString text) => output.WriteLine("  " + FormattableString.Invariant(text));
    }

    private sealed class Row
    {
        public string Image { get; set; } = "";
    }

    private sealed class Embedding
    {
        public float[] Features { get; set; } = [];
    }
}
