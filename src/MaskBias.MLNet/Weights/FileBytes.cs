using Microsoft.Win32.SafeHandles;

namespace MaskBias.MLNet.Weights;

/// <summary>Reads parts of an open file straight into memory; safe from several threads at once.</summary>
internal static class FileBytes
{
    /// <summary>Fills a part of memory; false where the file ends before.</summary>
    public static bool TryRead(SafeFileHandle file, long position, Span<byte> part)
    {
        for (int done = 0; done < part.Length;)
        {
            int count = RandomAccess.Read(file, part[done..], position + done);
            if (count == 0) return false;
            done += count;
        }
        return true;
    }
}
