namespace MaskBias.MLNet.Weights.Onnx;

/// <summary>Gives graphs to ML.NET.</summary>
internal static class OnnxLoading
{
    /// <summary>
    /// Applies a graph that is given as bytes. ML.NET writes them to a file of a random name, which one time in 32,768 ends with ".ort": ONNX
    /// Runtime takes it for its own format then and refuses it. A second time it has another name.
    /// </summary>
    /// <param name="apply">Reads the bytes from their beginning each time.</param>
    public static T Retried<T>(Func<T> apply)
    {
        try
        {
            return apply();
        }
        catch (InvalidOperationException e) when (e.Message.Contains("ORT model verification failed", StringComparison.Ordinal))
        {
            return apply();
        }
    }
}
