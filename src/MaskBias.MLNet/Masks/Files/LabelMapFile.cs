namespace MaskBias.MLNet.Masks.Files;

/// <summary>
/// Reads a label map: a PNG whose pixels are numbers, 8 or 16 bits of grey or the indices of a palette. Every number but the background's is
/// a mask, in ascending order.
/// </summary>
public static class LabelMapFile
{
    /// <summary>Reads a file, in which 0 is background.</summary>
    /// <exception cref="InvalidDataException">The file is not a PNG, is damaged or too large, or holds colours.</exception>
    public static MaskSet Read(string path) => Read(path, [0]);

    /// <summary>Reads a file.</summary>
    /// <param name="path">The PNG.</param>
    /// <param name="background">Numbers that are no masks.</param>
    /// <inheritdoc cref="Read(string)"/>
    public static MaskSet Read(string path, ReadOnlySpan<int> background) => Parse(MaskFileBytes.Read(path), path, background);

    /// <summary>Reads the content of a file.</summary>
    /// <param name="png">The PNG.</param>
    /// <param name="name">What errors call it.</param>
    /// <param name="background">Numbers that are no masks.</param>
    /// <remarks>Alpha is ignored. Grey that is stored as colours counts as grey.</remarks>
    /// <inheritdoc cref="Read(string)"/>
    public static MaskSet Parse(ReadOnlyMemory<byte> png, string name, ReadOnlySpan<int> background)
    {
        using var samples = new PngSamples(png, name);
        var runs = new LabelRuns(samples.Height, samples.Width, CocoRle.MaxRuns);
        ushort[] row = new ushort[samples.Width * samples.Channels];
        int[] labels = new int[samples.Width];
        for (int y = 0; y < samples.Height; y++)
        {
            samples.ReadRow(row);
            for (int x = 0; x < labels.Length; x++)
            {
                var pixel = row.AsSpan(x * samples.Channels, samples.Channels);
                if (pixel.Length > 2 && (pixel[1] != pixel[0] || pixel[2] != pixel[0]))
                    throw new InvalidDataException($"{name} holds colours, not numbers: the pixel at {x}, {y} is {pixel[0]}, {pixel[1]}, {pixel[2]}. "
                        + "Save the label map as a grey or palette PNG; a panoptic PNG is read with its JSON file.");
                labels[x] = pixel[0];
            }
            runs.AddRow(y, labels, background);
        }
        return runs.Build();
    }
}
