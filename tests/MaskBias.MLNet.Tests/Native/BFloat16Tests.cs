using MaskBias.MLNet.Native;

namespace MaskBias.MLNet.Tests.Native;

public sealed class BFloat16Tests
{
    // Linux lists the instructions too, by another way.
    [Fact]
    public void The_processor_is_asked()
    {
        Assert.SkipUnless(File.Exists("/proc/cpuinfo"), "there is no /proc/cpuinfo");
        string[] flags = (File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("flags", StringComparison.Ordinal)) ?? "").Split(' ');
        Assert.Equal(flags.Contains("avx512_bf16"), ComputeDevice.Cpu.HasBFloat16);
    }

    [Fact]
    public void A_device_that_is_not_there_has_nothing()
    {
        Assert.SkipWhen(TorchSharp.torch.cuda_is_available(), "there is a CUDA device");
        Assert.Contains("Device is Cuda(7)", Assert.Throws<InvalidOperationException>(() => ComputeDevice.Cuda(7).HasBFloat16).Message);
        Assert.Equal(ComputeDevice.Cpu.HasBFloat16, ComputeDevice.Auto.HasBFloat16);
    }
}
