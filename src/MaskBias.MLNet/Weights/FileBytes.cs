using Microsoft.Win32.SafeHandles;

namespace MaskBias.MLNet.Weights;

/// <summary>Reads parts of an open file straight into memory.</summary>
internal static class FileBytes
{
    /// <summary>Fills a part of memory; safe from several threads at once.</summary>
    /// <exception cref="InvalidDataException">The file ends before; the message names the tensor that was being read.</exception>
    public static void ReadExactly(SafeFileHandle file, long position, Span<byte> part, string path, string tensor)
    {
        for (int done = 0; done < part.Length;)
        {
            int count = RandomAccess.Read(file, part[done..], position + done);
            if (count == 0) throw new InvalidDataException($"{path}, tensor {tensor}: the file has become shorter since it was opened.");
            done += count;
        }
    }
}
