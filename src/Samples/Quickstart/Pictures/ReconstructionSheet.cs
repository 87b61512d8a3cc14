using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Pictures;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>Shows what a masked autoencoder makes of images that are mostly hidden from it.</summary>
internal static class ReconstructionSheet
{
    /// <summary>Writes a sheet with a column per image: the image, what the encoder sees, and what the decoder makes of that.</summary>
    public static void Write(string path, IReadOnlyList<MaeReconstruction> samples)
    {
        using var sheet = new TileSheet(rows: 3, columns: samples.Count);
        for (int column = 0; column < samples.Count; column++)
        {
            var sample = samples[column];
            sheet.Draw(0, column, sample.Input.ToPng());
            sheet.Draw(1, column, sample.Masked.ToPng());
            sheet.Draw(2, column, sample.Reconstructed.ToPng());
        }
        sheet.Write(path);
    }
}
