namespace MaskBias.MLNet.Native;

/// <summary>Counts who uses something that is not managed: it is freed once its owner and all who hold it have let go.</summary>
/// <param name="free">Frees it.</param>
internal sealed class Holders(Action free)
{
    private int count = 1;          // its owner

    /// <summary>Holds it; false where it is gone already.</summary>
    public bool TryHold()
    {
        for (int held = Volatile.Read(ref count); held > 0; held = Volatile.Read(ref count))
        {
            if (Interlocked.CompareExchange(ref count, held + 1, held) == held) return true;
        }
        return false;
    }

    /// <summary>Lets go; the last one frees it.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref count) == 0) free();
    }
}
