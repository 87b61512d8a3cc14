using System.Globalization;
using TorchSharp;

namespace MaskBias.MLNet.Native;

/// <summary>Where training and embedding compute.</summary>
public sealed record ComputeDevice
{
    private readonly int? cudaIndex;
    private readonly bool isAuto;

    private ComputeDevice(bool isAuto, int? cudaIndex) => (this.isAuto, this.cudaIndex) = (isAuto, cudaIndex);

    /// <summary>The first CUDA device where there is one, else the CPU.</summary>
    public static ComputeDevice Auto { get; } = new(true, null);

    /// <summary>The CPU.</summary>
    public static ComputeDevice Cpu { get; } = new(false, null);

    /// <summary>A CUDA device; using it where it is missing is an error, never a fallback.</summary>
    /// <param name="index">Index of the device, from 0.</param>
    public static ComputeDevice Cuda(int index = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return new(false, index);
    }

    /// <summary>
    /// Whether it has instructions for products of bfloat16 matrices, so that <see cref="Training.TrainingPrecision.BFloat16"/> saves time:
    /// processors with AVX-512 BF16, and CUDA devices of compute capability 8 (Ampere) and later.
    /// </summary>
    /// <exception cref="InvalidOperationException">The CUDA device asked for is not there.</exception>
    public bool HasBFloat16 => BFloat16Instructions.On(Resolve().Device);

    /// <inheritdoc/>
    public override string ToString() => isAuto ? "Auto" : cudaIndex is { } index ? string.Create(CultureInfo.InvariantCulture, $"Cuda({index})") : "Cpu";

    /// <summary>Decides on the device and says why.</summary>
    /// <param name="localRank">Number of this process among those of a run on this machine; they take the devices in turn.</param>
    /// <exception cref="InvalidOperationException">The CUDA device asked for is not there.</exception>
    internal (torch.Device Device, string Reason) Resolve(int localRank = 0)
    {
        TorchRuntime.EnsureLoaded();
        bool available = torch.cuda_is_available();
        if (cudaIndex is { } index)
        {
            int count = available ? torch.cuda.device_count() : 0;
            if (index >= count)
                throw new InvalidOperationException($"Device is Cuda({index}), but libtorch sees {count} CUDA devices. Use ComputeDevice.Auto or Cpu, or build with -p:TorchBackend=cuda-linux or cuda-windows on a machine with an NVIDIA driver.");
            return (torch.device(DeviceType.CUDA, index), $"CUDA device {index}, as asked");
        }
        if (!isAuto) return (torch.CPU, "CPU, as asked");
        if (!available) return (torch.CPU, "CPU: libtorch sees no CUDA device");
        int mine = localRank % Math.Max(1, torch.cuda.device_count());
        return (torch.device(DeviceType.CUDA, mine), localRank == 0 ? "CUDA device 0: the first that libtorch sees" : $"CUDA device {mine}: that of process {localRank} on this machine");
    }
}
