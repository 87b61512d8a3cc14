using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>Colour jitter, grey, blur and solarization of a batch of views, each image with its own drawn strength.</summary>
internal static class ColorAugmentation
{
    public const float SolarizeThreshold = 128f / 255;

    /// <summary>The parts of the jitter, as <see cref="DrawOrder"/> numbers them.</summary>
    public const int BrightnessPart = 0, ContrastPart = 1, SaturationPart = 2, HuePart = 3;

    /// <summary>Changes the views as drawn.</summary>
    /// <param name="views">[N, 3, S, S] in [0, 1]; may be overwritten.</param>
    /// <param name="draws">One for each view.</param>
    /// <param name="order">Order of the jitter's four parts, common to the batch.</param>
    public static Tensor Apply(Tensor views, IReadOnlyList<ViewDraw> draws, int[] order)
    {
        if (draws.All(d => d.KeepsColors)) return views;
        using var scope = NewDisposeScope();
        var device = views.device;
        var jitters = new Func<Tensor, Tensor>[]
        {
            x => Brighten(x, Column(draws, d => d.Brightness, device)),
            x => Contrast(x, Column(draws, d => d.Contrast, device)),
            x => Saturate(x, Column(draws, d => d.Saturation, device)),
            x => draws.All(d => d.Hue == 0) ? x : TurnHue(x, Column(draws, d => d.Hue, device)),
        };
        foreach (int part in order) views = jitters[part](views);
        if (draws.Any(d => d.Grayscale))
        {
            views = where(Column(draws, d => d.Grayscale ? 1 : 0, device) > Number(0), Luminance(views), views);
        }
        views = Blur(views, draws);
        if (draws.Any(d => d.Solarize))
        {
            var bright = (Column(draws, d => d.Solarize ? 1 : 0, device) > Number(0)).logical_and(views >= Number(SolarizeThreshold));
            views = where(bright, Difference(Number(1), views), views);
        }
        return views.MoveToOuterDisposeScope();
    }

    /// <summary>Draws the order of the jitter's four parts, whether or not a view needs it: a rank may have none that does.</summary>
    public static int[] DrawOrder(Random random)
    {
        int[] order = [BrightnessPart, ContrastPart, SaturationPart, HuePart];
        random.Shuffle(order);
        return order;
    }

    private static Tensor Brighten(Tensor views, Tensor factor) => (views * factor).clamp_(Number(0), Number(1));

    private static Tensor Contrast(Tensor views, Tensor factor)
    {
        var mean = Luminance(views).mean([1, 2, 3], keepdim: true);
        return lerp(mean, views, factor).clamp_(Number(0), Number(1));
    }

    private static Tensor Saturate(Tensor views, Tensor factor) => lerp(Luminance(views), views, factor).clamp_(Number(0), Number(1));

    private static Tensor Luminance(Tensor views)
    {
        var parts = views.unbind(1);
        return Sum(Sum(parts[0] * Number(0.299), parts[1] * Number(0.587)), parts[2] * Number(0.114)).unsqueeze(1);      // [N, 1, S, S]
    }

    // Through hue, saturation and value: hue turns by a share of the circle.
    private static Tensor TurnHue(Tensor views, Tensor turn)
    {
        var (value, channel) = views.max(1);                                                              // [N, S, S]
        var chroma = value - views.amin([1]);
        var divisor = where(chroma == Number(0), ones_like(chroma), chroma);
        var parts = views.unbind(1);
        var (r, g, b) = (parts[0], parts[1], parts[2]);
        var sector = where(channel == Number(0), (g - b) / divisor,
            where(channel == Number(1), Sum((b - r) / divisor, Number(2)), Sum((r - g) / divisor, Number(4))));
        var hue = Sum(sector, Number(6) * turn.squeeze(1));      // in sixths of the circle
        return stack([FromHue(5), FromHue(3), FromHue(1)], dim: 1);

        Tensor FromHue(int offset)
        {
            var k = Sum(hue, Number(offset)).remainder(Number(6));
            return value - chroma * minimum(k, Difference(Number(4), k)).clamp_(Number(0), Number(1));
        }
    }

    // G · X · Gᵀ with Gaussian rows, on the views that are blurred.
    private static Tensor Blur(Tensor views, IReadOnlyList<ViewDraw> draws)
    {
        long[] blurred = [.. Enumerable.Range(0, draws.Count).Where(i => draws[i].Blur > 0).Select(i => (long)i)];
        if (blurred.Length == 0) return views;
        long size = views.shape[3];
        var deviation = tensor(blurred.Select(i => draws[(int)i].Blur).ToArray(), [blurred.Length, 1, 1]).SentTo(views.device);
        var position = arange(Number(0), Number(size), Number(1), dtype: ScalarType.Float32, device: views.device);
        var distance = (position.unsqueeze(1) - position) / deviation;                                    // [n, S, S]
        var gaussian = (distance.pow(Number(2)) * Number(-0.5)).exp_();
        gaussian = gaussian / gaussian.sum(-1, keepdim: true);
        var index = tensor(blurred).SentTo(views.device);
        var chosen = views.index_select(0, index);                                                        // [n, 3, S, S]
        var vertical = matmul(gaussian.unsqueeze(1), chosen);
        return views.index_copy(0, index, matmul(vertical, gaussian.transpose(1, 2).unsqueeze(1)));
    }

    private static Tensor Column(IReadOnlyList<ViewDraw> draws, Func<ViewDraw, float> pick, Device device) =>
        tensor(draws.Select(pick).ToArray(), [draws.Count, 1, 1, 1]).SentTo(device);
}
