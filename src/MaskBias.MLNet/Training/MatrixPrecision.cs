using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>Sets how CUDA multiplies float32 matrices in this process, until it is disposed.</summary>
internal sealed class MatrixPrecision : IDisposable
{
    private readonly (bool Products, bool Convolutions)? before;

    public MatrixPrecision(TrainingPrecision precision, Device device)
    {
        if (device.type != DeviceType.CUDA) return;
        before = (backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32);
        backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = precision != TrainingPrecision.Float32;
    }

    /// <summary>What linear layers and attention compute in; null for the type of the weights.</summary>
    public static ScalarType? ComputeType(TrainingPrecision precision) =>
        precision == TrainingPrecision.BFloat16 ? ScalarType.BFloat16 : null;

    public void Dispose()
    {
        if (before is not { } was) return;
        (backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32) = (was.Products, was.Convolutions);
    }
}
