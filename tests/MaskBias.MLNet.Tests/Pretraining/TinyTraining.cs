using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>Settings of runs that take a moment.</summary>
internal static class TinyTraining
{
    public static VitOptions Encoder(int imageSize = 16, int patchSize = 8) =>
        new() { ImageSize = imageSize, PatchSize = patchSize, EmbedDim = 24, Depth = 2, Heads = 3 };

    public static DinoHeadOptions Head() => new() { OutDim = 32, HiddenDim = 32, BottleneckDim = 16 };

    public static MultiCropOptions Views(int localViews = 1) => new() { LocalViews = localViews };

    public static DinoOptions Dino() => new()
    {
        Encoder = Encoder(), Head = Head(), Views = Views(), Epochs = 1, BatchSize = 5, Seed = 3, Device = ComputeDevice.Cpu,
        LoaderThreads = 1,
    };

    public static DinoOptions MaskedDino() => Dino().With(o => o.MaskColumnName = "Masks");

    public static MaeOptions Mae() => new()
    {
        Encoder = Encoder(imageSize: 32), Decoder = new() { EmbedDim = 12, Depth = 1, Heads = 3 }, Epochs = 1, BatchSize = 5, Seed = 3,
        Device = ComputeDevice.Cpu, LoaderThreads = 1,
    };

    public static MaeOptions MaskedMae() => Mae().With(o => o.MaskColumnName = "Masks");

    /// <summary>A method with a new encoder and decoder as the options describe them; the caller disposes all three.</summary>
    public static MaeMethod MaeMethod(MaeOptions options, long seed = 1)
    {
        var encoder = VisionTransformer.CreateAsMae(options.Architecture(), seed);
        return new(options, encoder, new MaeDecoder(options.Architecture(), options.Decoder, seed), seed);
    }

    public static DistillationOptions Distillation() => new()
    {
        Views = Views(), Epochs = 1, BatchSize = 5, Seed = 4, Device = ComputeDevice.Cpu, LoaderThreads = 1,
    };

    public static T With<T>(this T options, Action<T> change)
    {
        change(options);
        return options;
    }

    /// <summary>An encoder with head, as DINO leaves it, but untrained.</summary>
    public static VisionEncoder Teacher(bool maskGuided = false, VitOptions? options = null)
    {
        options ??= Encoder();
        if (maskGuided) options.MaskBias = new() { InitialValue = 1 };
        return new(new VisionTransformer(options, 8), new DinoHead(options.EmbedDim, Head(), 8));
    }

    public static DinoBranch Branch(VitOptions options, long seed = 1) =>
        new(new VisionTransformer(options, seed), new DinoHead(options.EmbedDim, Head(), seed));

    /// <summary>
    /// Random views: two global ones of 16 pixels and, if asked for, two local ones of 8; three random masks each, if asked for.
    /// </summary>
    public static ViewBatch Batch(int images, bool masks, bool local = true, long seed = 1)
    {
        using var generator = new Generator((ulong)seed, CPU);
        using var scope = NewDisposeScope();
        return new(Group(16), local ? Group(8) : null);

        ViewGroup Group(int side)
        {
            int patches = side / 8 * (side / 8);
            var pixels = randn([2 * images, 3, side, side], generator: generator).DetachFromDisposeScope();
            var tokens = masks ? rand([2 * images, 3, patches], generator: generator).DetachFromDisposeScope() : null;
            return new(2, pixels, tokens);
        }
    }

    /// <summary>All weights by name, backbone, head and decoder.</summary>
    public static Dictionary<string, float[]> Weights(VisionEncoder encoder) =>
        new[] { (encoder.Model, "backbone."), (encoder.Head, "head."), ((nn.Module?)encoder.Decoder, "decoder.") }
            .Where(part => part.Item1 is not null).SelectMany(part => Weights(part.Item1!, part.Item2)).ToDictionary();

    public static IEnumerable<KeyValuePair<string, float[]>> Weights(nn.Module module, string prefix) =>
        module.state_dict().Select(w => KeyValuePair.Create(prefix + w.Key, Values(w.Value)));

    public static float[] Values(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().cpu().to_type(ScalarType.Float32).contiguous().data<float>().ToArray();
    }

    /// <summary>Asserts that two encoders have the same weights to the bit.</summary>
    public static void AssertSame(Dictionary<string, float[]> expected, Dictionary<string, float[]> actual)
    {
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        Assert.All(expected, e => Assert.True(e.Value.AsSpan().SequenceEqual(actual[e.Key]), $"{e.Key} differs"));
    }
}
