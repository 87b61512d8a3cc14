using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Output;
using Microsoft.Extensions.Logging;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Training.Output;

/// <summary>What a run tells while it lasts.</summary>
public sealed class MetricsTests(SceneFolder scenes) : IClassFixture<SceneFolder>, IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly TempFolder folder = new();

    [Fact]
    public void Every_step_has_a_line_with_all_numbers()
    {
        var reports = new List<TrainingProgress>();
        using var model = Fit(o => o.Progress = new Each(reports.Add));
        var lines = Lines();
        Assert.Equal(6, lines.Count);
        for (int i = 0; i < lines.Count; i++)
        {
            Assert.Equal(i + 1, lines[i].GetProperty("step").GetInt64());
            Assert.Equal(model.Report.Losses[i], lines[i].GetProperty("loss").GetDouble());
            Assert.Equal(reports[i].GradientNorm, lines[i].GetProperty("gradientNorm").GetDouble());
            Assert.True(reports[i].GradientNorm > 0 && reports[i].ProcessMemory > 1 << 20);
            Assert.Equal(reports[i].WeightDecay, lines[i].GetProperty("weightDecay").GetDouble());
            Assert.True(lines[i].GetProperty("teacherEntropy").GetDouble() is > 0 and < 3.5);
        }
    }

    [Fact]
    public void Steps_that_are_done_again_have_one_line_each_and_a_broken_line_is_dropped()
    {
        using var whole = Fit(_ => { });
        var before = Lines().Select(l => l.GetProperty("loss").GetDouble()).ToList();
        Directory.Delete(Path.Combine(folder.Path, "checkpoints/step-000000006"), recursive: true);
        File.AppendAllText(Path.Combine(folder.Path, "metrics.jsonl"), "{\"step\":");
        using var resumed = Fit(o => o.Output.WhenUsed = ExistingRun.Resume);
        Assert.Equal(Enumerable.Range(1, 6), Lines().Select(l => l.GetProperty("step").GetInt32()));
        Assert.Equal(before, Lines().Select(l => l.GetProperty("loss").GetDouble()));
    }

    [Fact]
    public void TensorBoard_event_files_are_sound_records_with_the_losses()
    {
        using var model = Fit(o => o.Output.TensorBoard = true);
        string file = Assert.Single(Directory.GetFiles(Path.Combine(folder.Path, "tensorboard")));
        Assert.Contains("tfevents", Path.GetFileName(file));
        var events = Records(File.ReadAllBytes(file)).ToList();
        Assert.Contains("brain.Event:2", Encoding.ASCII.GetString(events[0]));
        byte[] tag = Encoding.ASCII.GetBytes("DINO/loss");
        var losses = events.Where(e => e.AsSpan().IndexOf(tag) >= 0).ToList();
        Assert.Equal(6, losses.Count);
        for (int i = 0; i < losses.Count; i++)
        {
            // field 2 of a value, a 32-bit float
            byte[] value = [0x15, .. BitConverter.GetBytes((float)model.Report.Losses[i])];
            Assert.True(losses[i].AsSpan().IndexOf(value) >= 0, $"loss {i} is not in its event");
        }
    }

    [Fact]
    public void A_logger_receives_the_lines_of_the_log()
    {
        var logger = new LogLines();
        Fit(o => (o.Logger, o.Epochs) = (logger, 2)).Dispose();
        Assert.Contains(logger.Lines, l => l.Level == LogLevel.Information && l.Text.StartsWith("DINO: 10 images, batch 5, 4 steps", StringComparison.Ordinal));
        Assert.Equal(2, logger.Lines.Count(l => l.Text.Contains("epoch", StringComparison.Ordinal) && l.Text.Contains("images/s", StringComparison.Ordinal)));
    }

    // The framing of TensorFlow's records: length, its masked CRC, data, their masked CRC.
    private static IEnumerable<byte[]> Records(byte[] file)
    {
        for (int at = 0; at < file.Length;)
        {
            int length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at)));
            Assert.Equal(Masked(file.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            byte[] data = file[(at + 12)..(at + 12 + length)];
            Assert.Equal(Masked(data), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)));
            at += 16 + length;
            yield return data;
        }
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78 & (uint)-(int)(crc & 1));      // Castagnoli
        }
        crc = ~crc;
        return (crc >> 15 | crc << 17) + 0xA282EAD8;
    }

    private List<JsonElement> Lines() =>
        [.. File.ReadAllLines(Path.Combine(folder.Path, "metrics.jsonl")).Select(l => JsonDocument.Parse(l).RootElement)];

    private PretrainedTransformer Fit(Action<DinoOptions> change) => ml.SelfSupervised().Dino(TinyTraining.MaskedDino().With(o =>
    {
        (o.Epochs, o.Output.Folder) = (3, folder.Path);
        change(o);
    })).Fit(scenes.LoadWithMasks(ml));

    public void Dispose() => folder.Dispose();
}
