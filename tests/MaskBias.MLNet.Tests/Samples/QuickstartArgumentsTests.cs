using MaskBias.MLNet.Samples.Quickstart;

namespace MaskBias.MLNet.Tests.Samples;

public class QuickstartArgumentsTests
{
    [Fact]
    public void Without_arguments_scenes_are_generated_into_artifacts()
    {
        var arguments = QuickstartArguments.Parse([]);
        Assert.Equal(Path.Combine("artifacts", "quickstart"), arguments.Output);
        Assert.Equal((null, null, null, 1, false, false),
            (arguments.Images, arguments.Epochs, arguments.DistillEpochs, arguments.Seed, arguments.Short, arguments.Help));
    }

    [Fact]
    public void Every_option_is_read()
    {
        var arguments = QuickstartArguments.Parse(
            ["--images", "in", "--output", "out", "--epochs", "5", "--distill-epochs", "2", "--seed", "0", "--short"]);
        Assert.Equal(("in", "out", 5, 2, 0, true),
            (arguments.Images, arguments.Output, arguments.Epochs, arguments.DistillEpochs, arguments.Seed, arguments.Short));
        Assert.Equal((PretrainingMethod.Dino, false), (arguments.Method, arguments.NoMasks));
        Assert.True(QuickstartArguments.Parse(["--no-masks"]).NoMasks);
        Assert.Equal(PretrainingMethod.Mae, QuickstartArguments.Parse(["--method", "mae"]).Method);
        Assert.All(new[] { "--help", "-h", "-?" }, name => Assert.True(QuickstartArguments.Parse([name]).Help));
    }

    [Theory]
    [InlineData("--imagess x", "--imagess is not an option of this program.")]
    [InlineData("photos", "photos is not an option of this program.")]
    [InlineData("--images", "--images needs a value.")]
    [InlineData("--images --short", "--images needs a value.")]
    [InlineData("--epochs 0", "--epochs is 0; it must be a whole number, at least 1.")]
    [InlineData("--epochs -3", "--epochs is -3; it must be a whole number, at least 1.")]
    [InlineData("--epochs 1.5", "--epochs is 1.5; it must be a whole number, at least 1.")]
    [InlineData("--distill-epochs many", "--distill-epochs is many; it must be a whole number, at least 1.")]
    [InlineData("--method", "--method needs a value.")]
    [InlineData("--method simclr", "--method is simclr; it must be dino or mae.")]
    [InlineData("--seed -1", "--seed is -1; it must be a whole number, at least 0.")]
    public void What_cannot_be_used_is_named(string line, string message) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => QuickstartArguments.Parse(line.Split(' '))).Message);

    [Fact]
    public void The_usage_names_every_option() =>
        Assert.All(new[] { "--images", "--method", "--no-masks", "--output", "--epochs", "--distill-epochs", "--seed", "--short", "--help" },
            option => Assert.Contains(option, QuickstartArguments.Usage));
}
