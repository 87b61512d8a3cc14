using System.Text;

namespace MaskBias.MLNet.Images;

/// <summary>Names formats that cameras and scanners write and nothing here decodes, so that an error can say what to convert.</summary>
internal static class OtherImageFormat
{
    /// <summary>The format's name with its article; null for an unknown one.</summary>
    /// <param name="encoded">The file's bytes.</param>
    public static string? Of(ReadOnlySpan<byte> encoded)
    {
        if (encoded.StartsWith("II*\0"u8) || encoded.StartsWith("MM\0*"u8)) return "a TIFF or raw camera file";
        // ISO base media: the length of the first box, "ftyp", the brand.
        if (encoded.Length < 12 || !encoded[4..8].SequenceEqual("ftyp"u8)) return null;
        return Encoding.ASCII.GetString(encoded[8..12]) switch
        {
            "avif" or "avis" => "an AVIF file",
            "heic" or "heix" or "heim" or "heis" or "hevc" or "hevx" or "mif1" or "msf1" => "a HEIC file",
            _ => null,
        };
    }
}
