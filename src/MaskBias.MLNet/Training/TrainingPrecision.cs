namespace MaskBias.MLNet.Training;

/// <summary>
/// In what precision the large matrix products of training are computed. Weights, norms, losses and the optimizer are in float32.
/// </summary>
public enum TrainingPrecision
{
    /// <summary>Everything in float32.</summary>
    Float32,

    /// <summary>
    /// On CUDA, the factors of products are rounded to TensorFloat-32 (10 bits of mantissa), which tensor cores multiply; elsewhere as
    /// <see cref="Float32"/>. Process-wide while a run trains.
    /// </summary>
    TensorFloat32,

    /// <summary>
    /// Linear layers and attention in bfloat16 (7 bits of mantissa, the range of float32, so that no loss scaling is needed), the rest as
    /// <see cref="TensorFloat32"/>. Devices gain by it where they have instructions for it (<see cref="Native.ComputeDevice.HasBFloat16"/>).
    /// </summary>
    BFloat16,
}
