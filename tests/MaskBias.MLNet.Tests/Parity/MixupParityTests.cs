using MaskBias.MLNet.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>Mixup, CutMix, label smoothing and their losses against timm.</summary>
[Trait("Category", "Parity")]
public class MixupParityTests
{
    [Theory]
    [InlineData("mixup")]
    [InlineData("cutmix0")]
    [InlineData("cutmix1")]
    public void Images_targets_and_losses_match(string variant)
    {
        using var fixture = new ReferenceCase("mixup");
        using var scope = NewDisposeScope();
        var input = fixture.Read("io", "input");
        Tensor images;
        double share;
        if (variant == "mixup") (images, share) = (BatchMixing.Mixup(input, fixture.Doubles("io", "mixup.lam")[0]), fixture.Doubles("io", "mixup.lam")[0]);
        else
        {
            double given = fixture.Doubles("io", $"{variant}.lam_in")[0];
            var (y, x) = ((int)fixture.Doubles("io", $"{variant}.cy")[0], (int)fixture.Doubles("io", $"{variant}.cx")[0]);
            var box = BatchMixing.Box(given, input.shape[2], input.shape[3], y, x);
            Assert.Equal(fixture.Doubles("io", $"{variant}.bbox_yl_yh_xl_xh"), new double[] { box.Top, box.Bottom, box.Left, box.Right });
            (images, share) = BatchMixing.Cutmix(input, given, y, x);
            Near.Equal(fixture.Doubles("io", $"{variant}.lam_corrected")[0], share, 1e-12, "share");
        }
        Near.Equal(fixture.Read("io", $"{variant}.images"), images, 1e-6, "images");
        var smooth = SoftTargets.Smooth(fixture.Read("io", "target"), fixture.Int("classes"), fixture.Double("smoothing"));
        var targets = BatchMixing.Mixup(smooth, share);
        Near.Equal(fixture.Read("io", $"{variant}.targets"), targets, 1e-6, "targets");
        CheckLoss(fixture, variant, targets);
    }

    [Fact]
    public void Label_smoothing_matches()
    {
        using var fixture = new ReferenceCase("mixup");
        using var scope = NewDisposeScope();
        CheckLoss(fixture, "label_smoothing", SoftTargets.Smooth(fixture.Read("io", "target"), fixture.Int("classes"), fixture.Double("smoothing")));
    }

    private static void CheckLoss(ReferenceCase fixture, string variant, Tensor targets)
    {
        var logits = fixture.Read("io", "logits").requires_grad_();
        var loss = SoftTargets.CrossEntropy(logits, targets);
        loss.backward();
        Near.Equal(fixture.Doubles("io", $"{variant}.loss")[0], loss.ToDouble(), 1e-6, "loss");
        Near.Equal(fixture.Read("io", $"{variant}.grad_logits"), logits.grad!, 1e-6, "gradient");
    }
}
