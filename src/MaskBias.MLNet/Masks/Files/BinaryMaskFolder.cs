namespace MaskBias.MLNet.Masks.Files;

/// <summary>Reads a folder that holds one binary PNG per mask of one image, all of one size; pixels that are not 0 or black are covered.</summary>
public static class BinaryMaskFolder
{
    /// <summary>Reads every *.png of a folder: shorter names first, equally long ones in ordinal order, so that 2.png comes before 10.png.</summary>
    /// <returns>The masks, or null where the folder holds no PNG.</returns>
    /// <exception cref="InvalidDataException">A file is not a PNG, is damaged or too large, or of another size than the first.</exception>
    public static MaskSet? Read(string folder)
    {
        string[] paths = [.. Directory.EnumerateFiles(folder)
            .Where(p => Path.GetExtension(p).Equals(".png", StringComparison.OrdinalIgnoreCase))
            .OrderBy(p => p.Length).ThenBy(p => p, StringComparer.Ordinal)];
        if (paths.Length > MaskSet.MaxCount) throw new InvalidDataException($"'{folder}' holds {paths.Length} masks; an image may have {MaskSet.MaxCount}.");
        RunBuilder? builder = null;
        var (height, width, runsLeft) = (0, 0, (long)CocoRle.MaxRuns);
        foreach (string path in paths)
        {
            using var samples = new PngSamples(MaskFileBytes.Read(path), path);
            if (builder is null)
            {
                (height, width) = (samples.Height, samples.Width);
                builder = new(height, width);
            }
            if ((samples.Height, samples.Width) != (height, width))
                throw new InvalidDataException($"'{path}' is {samples.Width}x{samples.Height}; the masks before it are {width}x{height}.");
            runsLeft -= AddMask(samples, builder, runsLeft, path);
        }
        return builder?.Build();
    }

    private static long AddMask(PngSamples samples, RunBuilder builder, long maxRuns, string path)
    {
        int channels = samples.Channels, colors = channels > 2 ? 3 : 1;
        ushort[] row = new ushort[samples.Width * channels];
        byte[] covered = new byte[samples.Width];
        long runs = 0;
        for (int y = 0; y < samples.Height; y++)
        {
            samples.ReadRow(row);
            for (int x = 0; x < covered.Length; x++) covered[x] = row.AsSpan(x * channels, colors).ContainsAnyExcept((ushort)0) ? (byte)1 : (byte)0;
            for (int x = 0, length; x < covered.Length; x += length)
            {
                length = covered.AsSpan(x).IndexOfAnyExcept(covered[x]);
                if (length < 0) length = covered.Length - x;
                if (covered[x] != 0) builder.Cover(y * samples.Width + x, length);
                if (++runs > maxRuns + samples.Height) throw new InvalidDataException($"'{path}' and the masks before it have more than {CocoRle.MaxRuns} runs.");
            }
        }
        builder.EndMask();
        return Math.Max(0, runs - samples.Height);
    }
}
