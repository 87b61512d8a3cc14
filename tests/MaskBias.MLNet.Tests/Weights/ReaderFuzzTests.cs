using MaskBias.MLNet.Benchmarks.Fuzzing;

namespace MaskBias.MLNet.Tests.Weights;

public sealed class ReaderFuzzTests
{
    [Fact]
    public void Hostile_files_are_read_or_refused_with_a_reason()
    {
        const int Formats = 4;
        var output = new StringWriter();
        ReaderFuzz.Run(output, inputs: 1500, seed: 7);
        TestContext.Current.TestOutputHelper?.WriteLine(output.ToString());
        Assert.Equal(Formats, output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }
}
