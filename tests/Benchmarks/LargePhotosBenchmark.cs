using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// Reading photographs as cameras make them, 12 megapixels of JPEG, for views of 224 pixels: decoded no larger than that needs, against whole and
/// then reduced; one thread.
/// </summary>
internal static class LargePhotosBenchmark
{
    private const int Photos = 8, Rounds = 5, ShortSide = 448;

    public static void Run(TextWriter output)
    {
        string folder = Directory.CreateTempSubdirectory("maskbias-photos-").FullName;
        try
        {
            string[] files = SyntheticPhotos.Write(folder, Photos, shortest: 3000, longest: 4000);
            var (reduced, whole, ratio) = Timing.Compare(Rounds,
                () => Each(files, (bytes, name) => ImageDecoder.DecodeReduced(bytes, name, ShortSide)),
                () => Each(files, (bytes, name) => ImageReduction.ToShortSide(ImageDecoder.Decode(bytes, name), ShortSide)));
            output.WriteLine(FormattableString.Invariant(
                $"  for training {Photos / reduced:0.0} images/s, whole and reduced {Photos / whole:0.0}: {ratio:0.0} times its rate"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Each(string[] files, Action<byte[], string> read)
    {
        foreach (string file in files) read(File.ReadAllBytes(file), file);
    }
}
