using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Native;

/// <summary>
/// Numbers as operands of tensor operations, alive until the operation has read them.
/// </summary>
/// <remarks>
/// TorchSharp turns every number into a native object that its finalizer frees, and nothing holds the managed half once the operation has
/// taken its handle: a garbage collection at that moment frees what the operation is about to read, about once in 600 collections on a busy
/// machine ("Unknown scalar type", or a wrong number). It does so itself, too, in a + b, number − a, square() and arange(n):
/// <see cref="Sum(Tensor, Tensor)"/>, <see cref="Difference"/>, pow(2) and the whole arange(0, n, 1) do without.
/// What is made here is held until the same thread has made many more, and is then freed
/// at once, so that none waits for a collection.
/// </remarks>
internal static class Numbers
{
    // One operation takes three at most.
    private const int Held = 64;

    [ThreadStatic]
    private static Scalar?[]? held;

    [ThreadStatic]
    private static int next;

    /// <summary>A floating-point number for the operation that it is passed to; not to be kept.</summary>
    public static Scalar Number(double value) => Hold(value.ToScalar());

    /// <summary>An integer for the operation that it is passed to; not to be kept.</summary>
    public static Scalar Number(long value) => Hold(value.ToScalar());

    /// <summary>a + b. TorchSharp's operator makes a number of its own, 1, by which it multiplies b.</summary>
    public static Tensor Sum(Tensor a, Tensor b) => a.add(b, alpha: Number(1));

    /// <summary>a + b, as <see cref="Sum(Tensor, Tensor)"/>.</summary>
    public static Tensor Sum(Tensor a, Scalar b) => a.add(b, alpha: Number(1));

    /// <summary>a − b. TorchSharp's operator adds −b and a, with a number of its own.</summary>
    public static Tensor Difference(Scalar a, Tensor b) => b.negative().add(a, alpha: Number(1));

    private static Scalar Hold(Scalar number)
    {
        held ??= new Scalar?[Held];
        held[next]?.Dispose();
        held[next] = number;
        next = (next + 1) % Held;
        return number;
    }
}
