using MaskBias.MLNet.Samples.Quickstart;
using MaskBias.MLNet.Samples.Common.Terminal;
using MaskBias.MLNet.Training;
using Spectre.Console;

namespace MaskBias.MLNet.Tests.Samples;

public class ProgressTests
{
    private readonly StringWriter output = new();
    private readonly ManualTime time = new();

    [Fact]
    public void A_report_tells_loss_speed_and_time_left()
    {
        Assert.Equal("epoch 2/5  loss 3.142  123 img/s  1:05 left", LiveProgress.Describe(At(7, seconds: 65)));
        Assert.Equal("epoch 2/5  loss 3.142  123 img/s  2:00:03 left", LiveProgress.Describe(At(7, seconds: 7203)));
        Assert.Equal("epoch 2/5  loss 3.142  123 img/s  took 0:09", LiveProgress.Describe(At(20, seconds: 0)));
    }

    [Fact]
    public void A_log_gets_the_first_and_last_step_and_a_line_every_ten_seconds()
    {
        var lines = new ProgressLines(NewConsole(), time);
        for (long step = 1; step <= 20; step++)
        {
            lines.Report(At(step, seconds: 1));
            time.Advance(TimeSpan.FromSeconds(3));
        }
        lines.Report(At(1, seconds: 1) with { Phase = "Next" });
        string[] starts = [.. Written().Select(line => line.Split("  ")[0])];
        string[] expected = [.. new[] { 1, 5, 9, 13, 17, 20 }.Select(step => $"Test: step {step}/20"), "Next: step 1/20"];
        Assert.Equal(expected, starts);
    }

    [Fact]
    public void A_long_count_tells_every_ten_seconds_what_is_done_and_left()
    {
        var lines = new CountLines(NewConsole(), total: 10, time);
        for (int done = 1; done <= 10; done++)
        {
            time.Advance(TimeSpan.FromSeconds(6));
            lines.Report(done);
        }
        string[] expected = ["2 of 10 images  0:48", "4 of 10 images  0:36", "6 of 10 images  0:24", "8 of 10 images  0:12"];
        Assert.Equal(expected.Select(line => line + " left"), Written());
    }

    private static TrainingProgress At(long step, double seconds) =>
        new("Test", 2, 5, step, 20, 3.1416, 1e-3, 123.4, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(seconds));

    private string[] Written() => output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private IAnsiConsole NewConsole()
    {
        var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No });
        console.Profile.Width = 160;
        return console;
    }

    private sealed class ManualTime : TimeProvider
    {
        private long ticks = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks;

        public void Advance(TimeSpan by) => ticks += by.Ticks;
    }
}
