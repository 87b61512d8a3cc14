using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Native;

/// <summary>Ways of host memory to a device that do not wait for what the device is still at.</summary>
internal static class DeviceTransfers
{
    /// <summary>
    /// The values on a device, in the order of what is computed there. The source may be freed at once: libtorch keeps what is pinned until
    /// it is read, and CUDA has copied other host memory when the call returns.
    /// </summary>
    public static Tensor SentTo(this Tensor values, Device device) =>
        device.type == DeviceType.CPU ? values.to(device) : values.to(device, non_blocking: true);

    /// <summary>A copy in memory that a CUDA device reads by itself, so that the copy there runs beside everything else.</summary>
    public static Tensor Pinned(this Tensor values) => values.pin_memory();
}
