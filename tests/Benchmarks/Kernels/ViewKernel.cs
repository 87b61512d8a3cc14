using BenchmarkDotNet.Attributes;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks.Kernels;

/// <summary>A view of 224 pixels with all of DINO's colours, blurred, out of an image of 375 × 500.</summary>
public class ViewKernel
{
    private const int Height = 375, Width = 500, Size = 224;

    private readonly float[] view = new float[3 * Size * Size];
    private readonly int[] order = [0, 1, 2, 3];
    private readonly ViewDraw draw = new(new(40, 30, 320, 300, Flip: true), 0.8f, 1.3f, 0.9f, 0.07f, false, 1.1f, true);
    private ViewRenderer renderer = null!;
    private Tensor pixels = null!;

    /// <summary>An image of noise.</summary>
    [GlobalSetup]
    public void Draw()
    {
        var image = new RgbImage(Height, Width, new byte[3 * Height * Width]);
        new Random(1).NextBytes(image.Pixels);
        renderer = new ViewRenderer(image, ImageNormalization.ImageNet);
        pixels = tensor(image.Pixels, [1, Height, Width, 3]).to_type(ScalarType.Float32);
    }

    /// <summary>The tensor operations that a CUDA device runs.</summary>
    [Benchmark(Baseline = true)]
    public float TensorOperations()
    {
        using var scope = NewDisposeScope();
        var cut = CropResampler.Resample(pixels, [(Height, Width)], [[draw.Region]], Size)[0].div_(255).clamp_(0, 1);
        return ColorAugmentation.Apply(cut, [draw], order)[0, 0, 0, 0].ToSingle();
    }

    /// <summary>The processor's own.</summary>
    [Benchmark]
    public float OnePass()
    {
        renderer.Render(draw, Size, order, view);
        return view[0];
    }

    /// <summary>Gives the image back.</summary>
    [GlobalCleanup]
    public void End()
    {
        renderer.Dispose();
        pixels.Dispose();
    }
}
