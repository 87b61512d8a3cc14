using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks.Sam;
using MaskBias.MLNet.Tests.Images;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Tests.Masks.Sam;

/// <summary>A Segment Anything model of random weights that is small enough for tests, and settings with which it finds masks.</summary>
internal static class TinySam
{
    public static SamOptions Architecture() => new()
    {
        ImageSize = 64, PatchSize = 8, EmbedDim = 16, Depth = 2, Heads = 2, MlpDim = 32, WindowSize = 3, GlobalAttentionBlocks = [1], PromptDim = 32,
        MaskPromptDim = 4, DecoderDepth = 1, DecoderHeads = 2, DecoderMlpDim = 16, IouHeadDim = 8,
    };

    public static SamMaskGeneratorOptions Generator() => new()
    {
        PointsPerSide = 3, PredictedIouThreshold = 0, StabilityScoreThreshold = 0, BoxNmsThreshold = 0.95,
    };

    public static SamModel Model(long seed = 1) => new(Architecture(), seed);

    /// <summary>Writes a checkpoint of it.</summary>
    public static string Save(TempFolder folder, long seed = 1, string name = "sam.safetensors")
    {
        string path = Path.Combine(folder.Path, name);
        using var model = Model(seed);
        SafetensorsWriter.Write(path, model.state_dict(), new Dictionary<string, string>());
        return path;
    }

    public static RgbImage Photo(int kind = 0, int number = 0, int width = 48, int height = 40) =>
        ImageDecoder.Decode(SampleImages.Shape(kind, number, width, height), "photo");
}
