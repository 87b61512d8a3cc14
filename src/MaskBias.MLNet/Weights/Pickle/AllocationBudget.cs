namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>Counts the memory that an untrusted file makes us allocate: at most twice its length, and a little for small files.</summary>
internal sealed class AllocationBudget(long fileLength)
{
    private const long Slack = 1 << 19;

    private long left = 2 * fileLength + Slack;

    /// <summary>Counts bytes before they are allocated; estimates are from above.</summary>
    /// <exception cref="InvalidDataException">The file has had its share.</exception>
    public void Charge(long bytes)
    {
        if (bytes > left) throw new InvalidDataException($"it would take more memory to read than twice its {fileLength} bytes");
        left -= bytes;
    }
}
