using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>Head, loss and schedules against the published DINO code.</summary>
[Trait("Category", "Parity")]
public class DinoPartsParityTests
{
    [Theory]
    [InlineData("norm_last", 3, false, 2e-5)]
    [InlineData("free_last", 3, false, 2e-5)]
    [InlineData("bn", 3, true, 5e-5)]
    [InlineData("nlayers1", 1, false, 2e-5)]
    [InlineData("nlayers2", 2, false, 2e-5)]
    public void Head_matches(string variant, int layers, bool batchNorm, double gradientTolerance)
    {
        using var scope = NewDisposeScope();
        using var fixture = new ReferenceCase("dino_head");
        var io = fixture.File_("io");
        using var head = new DinoHead(fixture.Int("in_dim"), new()
        {
            OutDim = fixture.Int("out_dim"), HiddenDim = fixture.Int("hidden_dim"), BottleneckDim = fixture.Int("bottleneck_dim"),
            Layers = layers, UseBatchNorm = batchNorm, NormalizeLastLayer = io.Read($"requires_grad.{variant}.weight_g").ToInt64() == 0,
        });
        fixture.LoadInto(head, "heads", variant + ".");
        head.train();
        var input = io.Read("input").requires_grad_();
        var output = head.forward(input);
        Near.Equal(io.Read($"output.{variant}"), output, 1e-5, "output");
        (output * io.Read("probe")).sum().backward();
        Near.Equal(io.Read($"grad.{variant}.input"), input.grad!, gradientTolerance, "input gradient");
        int seen = 0;
        foreach (var (name, parameter) in head.named_parameters())
        {
            bool expected = io.Contains($"grad.{variant}.param.{name}");
            Assert.Equal(expected, parameter.grad is not null);
            if (expected) Near.Equal(io.Read($"grad.{variant}.param.{name}"), parameter.grad!, gradientTolerance, name);
            seen += expected ? 1 : 0;
        }
        Assert.True(seen > 0);
        head.eval();
        if (!batchNorm) Near.Equal(io.Read($"output_eval.{variant}"), head.forward(input), 1e-5, "output in evaluation");
        var buffers = head.named_buffers().Where(b => io.Contains($"after.{variant}.{b.name}")).ToList();
        Assert.Equal(batchNorm, buffers.Count > 0);
        foreach (var (name, buffer) in buffers)
            Near.Equal(io.Read($"after.{variant}.{name}"), buffer, 1e-5, name);
    }

    [Fact]
    public void Loss_centre_and_gradient_match()
    {
        using var scope = NewDisposeScope();
        using var fixture = new ReferenceCase("dino_loss");
        var io = fixture.File_("io");
        using var loss = new DinoLoss(fixture.Int("out_dim"), fixture.Double("student_temp"), fixture.Double("center_momentum"), CPU);
        loss.Center.copy_(io.Read("center_before"));
        var temperature = new LinearSchedule(fixture.Double("warmup_teacher_temp"), fixture.Double("teacher_temp"), fixture.Int("warmup_teacher_temp_epochs"));
        double[] schedule = fixture.Doubles("io", "teacher_temp_schedule");
        Assert.NotEmpty(schedule);
        for (int epoch = 0; epoch < schedule.Length; epoch++) Near.Equal(schedule[epoch], temperature.At(epoch), 1e-12, $"temperature of epoch {epoch}");
        int calls = io.Entries.Count(e => e.Name.EndsWith(".student", StringComparison.Ordinal));
        Assert.True(calls > 1);                                                 // the centre of one is that of the next
        for (int call = 0; call < calls; call++)
        {
            int epoch = (int)io.Read($"input.{call}.epoch").ToInt64();
            var student = io.Read($"input.{call}.student").requires_grad_();
            var value = loss.Forward(student, io.Read($"input.{call}.teacher"), globalViews: 2, temperature.At(epoch));
            Near.Equal(io.Read($"output.{call}.loss"), value, 1e-5, "loss");
            loss.MoveCenter();
            Near.Equal(io.Read($"output.{call}.center_after"), loss.Center, 1e-6, "centre");
            value.backward();
            Near.Equal(io.Read($"output.{call}.grad_student"), student.grad!, 2e-6, "gradient");
        }
    }

    [Fact]
    public void Schedules_match()
    {
        using var fixture = new ReferenceCase("dino_schedules");
        int perEpoch = fixture.Int("niter"), steps = fixture.Int("epochs") * perEpoch, warmup = fixture.Int("warmup_epochs") * perEpoch;
        double rate = fixture.Double("lr") * fixture.Int("batch_size") / 256;
        Check("lr", new CosineSchedule(rate, fixture.Double("min_lr"), steps, warmup));
        Check("lr_warmup_start", new CosineSchedule(fixture.Double("lr"), fixture.Double("min_lr"), steps, warmup, fixture.Double("start_warmup")));
        Check("wd", new CosineSchedule(fixture.Double("wd"), fixture.Double("wd_end"), steps));
        Check("momentum", new CosineSchedule(fixture.Double("momentum"), 1, steps));

        void Check(string name, CosineSchedule schedule)
        {
            double[] expected = fixture.Doubles("schedules", name);
            Assert.Equal(steps, expected.Length);
            for (int step = 0; step < expected.Length; step++) Near.Equal(expected[step], schedule.At(step), 1e-12, $"{name} at {step}");
        }
    }
}
