using MaskBias.MLNet.Benchmarks.Fuzzing;

namespace MaskBias.MLNet.Tests.Masks.Files;

public class MaskFuzzTests
{
    [Fact]
    public void Hostile_mask_files_are_read_or_refused_with_a_reason()
    {
        const int Formats = 6;
        var output = new StringWriter();
        MaskFuzz.Run(output, inputs: 2000, seed: 7);
        TestContext.Current.TestOutputHelper?.WriteLine(output.ToString());
        Assert.Equal(Formats, output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }
}
