using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training.Data;

/// <summary>
/// Gives the views of every batch of an epoch, each batch in equal parts. Threads decode images and draw views ahead of time; on the
/// processor they make the views too, elsewhere cutting and recolouring are tensor operations on the training device. What a view shows
/// depends on seed, epoch and image alone, not on threads, nor on the ranks that the parts of a batch are shared out to.
/// </summary>
internal sealed class ViewLoader
{
    private readonly ImageStore store;
    private readonly int[] images;              // indices of the store
    private readonly MultiCropOptions options;
    private readonly VisionEncoder normalizer;
    private readonly MaskTokenizer? tokenizer;
    private readonly ViewSampler sampler;
    private readonly ViewSizes sizes;
    private readonly bool rendersOnProcessor, isOnCuda;
    private readonly int batchSize, parts, globalSize, localSize, patchSize, threads;
    private readonly int seed;
    private readonly bool replacesUnreadable;
    private readonly Action<string> warn;
    private readonly int[] positions;           // of the rows of a part that this process has

    public ViewLoader(
        ImageStore store, PretrainingOptions options, ViewSizes sizes, VisionEncoder normalizer, int batchSize, int parts, int seed,
        Action<string> warn, IEnumerable<int>? images = null, OwnRows? own = null, bool? rendersOnProcessor = null)
    {
        positions = own?.Positions ?? [.. Enumerable.Range(0, batchSize / parts)];
        this.images = [.. images ?? Enumerable.Range(0, store.Count)];
        (this.store, this.normalizer, this.batchSize, this.parts, this.seed, this.warn) = (store, normalizer, batchSize, parts, seed, warn);
        (this.options, globalSize, localSize, patchSize, threads) =
            (sizes.Options, sizes.Global, sizes.Local, sizes.Patch, options.LoaderThreads);
        this.sizes = sizes;
        this.rendersOnProcessor = rendersOnProcessor ?? normalizer.Device.type == DeviceType.CPU;
        isOnCuda = normalizer.Device.type == DeviceType.CUDA;
        tokenizer = options.MaskColumnName is null ? null : new MaskTokenizer(options.Masks);
        replacesUnreadable = options.OnUnreadableImage == UnreadableTrainingImage.Skip;
        sampler = new ViewSampler(sizes.Options, globalSize);
    }

    /// <summary>Whole batches in an epoch; the rest of the images waits for the next shuffle.</summary>
    public int StepsPerEpoch => images.Length / batchSize;

    /// <summary>The batches of an epoch, in order, part by part.</summary>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="cancellation">Ends the work ahead.</param>
    /// <param name="firstStep">Batches of the epoch to leave out, which a resumed run has seen.</param>
    public IEnumerable<ViewBatch> Epoch(int epoch, CancellationToken cancellation, int firstStep = 0)
    {
        int[] order = [.. Enumerable.Range(0, images.Length)];
        RandomStreams.Open(seed, epoch, -1).Shuffle(order);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var scheduler = new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, threads).ConcurrentScheduler;
        var ahead = new Queue<(Task<HostBatch> Host, RenderedViews? Views)>();
        int first = firstStep * parts, started = first, count = StepsPerEpoch * parts, partSize = batchSize / parts;
        try
        {
            for (int part = first; part < count; part++)
            {
                while (started < count && ahead.Count <= threads) ahead.Enqueue(Start(started++));
                var (task, views) = ahead.Dequeue();
                using var rendered = views;
                using var host = task.GetAwaiter().GetResult();
                yield return ToDevice(host, rendered, RandomOf(part));
            }
        }
        finally
        {
            stop.Cancel();
            foreach (var (task, views) in ahead)
            {
                Discard(task);
                views?.Dispose();
            }
        }

        (Task<HostBatch>, RenderedViews?) Start(int part)
        {
            int[] rows = Array.ConvertAll(positions, position => order[part * partSize + position]);
            var views = rendersOnProcessor ? new RenderedViews(rows.Length, sizes) : null;
            return (Task.Factory.StartNew(
                () => Prepare(rows, epoch, views, RandomOf(part)), stop.Token, TaskCreationOptions.DenyChildAttach, scheduler), views);
        }

        // What a batch has in common, its parts have.
        Random RandomOf(int part) => RandomStreams.Open(seed, epoch, -2 - part / parts);
    }

    // Nobody will see this batch, nor what went wrong with it; but nothing may still be at work when the epoch is left.
    private static void Discard(Task<HostBatch> task)
    {
        Task.WhenAny(task).Wait(CancellationToken.None);
        if (task.IsCompletedSuccessfully) task.Result.Dispose();
        else _ = task.Exception;
    }

    private HostBatch Prepare(int[] rows, int epoch, RenderedViews? views, Random random)
    {
        var pixels = new RgbImage[rows.Length];
        var chosen = new int[rows.Length];
        for (int i = 0; i < rows.Length; i++) (chosen[i], pixels[i]) = Readable(rows[i]);
        var draws = new ViewDraw[rows.Length][];
        var masks = tokenizer is null ? null : new float[rows.Length][][];
        for (int i = 0; i < rows.Length; i++)
        {
            // its own for each (epoch, image), so that neither order nor threads change what is drawn
            draws[i] = sampler.Draw(pixels[i].Height, pixels[i].Width, RandomStreams.Open(seed, epoch, chosen[i]));
            if (masks is not null) masks[i] = Tokens(store[chosen[i]], pixels[i], draws[i]);
        }
        views?.Render(pixels, draws, normalizer.Normalization, random);
        var blocks = views is null ? PixelBlock.Cut(pixels, isOnCuda) : [];
        if (masks is null) return new(chosen, blocks, draws, null, null);
        var global = Tokens(masks, 0, options.GlobalViews, globalSize);
        return new(chosen, blocks, draws, global, Tokens(masks, options.GlobalViews, sizes.MaskedViews - options.GlobalViews, localSize));
    }

    private TokenBlock? Tokens(float[][][] masks, int first, int views, int size) =>
        TokenBlock.Join(masks, first, views, size / patchSize * (size / patchSize), isOnCuda);

    // A file that has vanished since the store read it gives its place to the next image, unless the options say to stop.
    private (int Row, RgbImage Pixels) Readable(int row)
    {
        for (int attempt = 0; ; attempt++)
        {
            int candidate = images[(row + attempt) % images.Length];
            try
            {
                return (candidate, store.Pixels(candidate));
            }
            catch (ImageReadException e) when (replacesUnreadable && attempt < 10)
            {
                warn($"{e.Message} Another image takes its place in this epoch.");
            }
        }
    }

    private float[][] Tokens(StoredImage stored, RgbImage pixels, ViewDraw[] draws)
    {
        var tokens = new float[sizes.MaskedViews][];
        if (stored.Masks is not { Count: > 0 } masks)
        {
            Array.Fill(tokens, []);
            return tokens;
        }
        double scaleX = (double)stored.Width / pixels.Width, scaleY = (double)stored.Height / pixels.Height;
        for (int view = 0; view < tokens.Length; view++)
        {
            var r = draws[view].Region;
            int grid = (view < options.GlobalViews ? globalSize : localSize) / patchSize;
            tokens[view] = tokenizer!.Compute(masks, new(r.X * scaleX, r.Y * scaleY, r.Width * scaleX, r.Height * scaleY, r.Flip),
                grid, grid, out _);
        }
        return tokens;
    }

    private ViewBatch ToDevice(HostBatch host, RenderedViews? rendered, Random random)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (first, second) = rendered?.Take() ?? Cut(host, random);
        var global = Group(options.GlobalViews, first, host.GlobalTokens);
        var local = second is null ? null : Group(options.LocalViews, second, host.LocalTokens);
        foreach (var group in local is null ? [global] : new[] { global, local })
        {
            group.Images.DetachFromDisposeScope();
            group.MaskTokens?.DetachFromDisposeScope();
        }
        return new(global, local) { Rows = host.Rows, SourceRows = Array.ConvertAll(host.Rows, i => store[i].Row) };
    }

    // The global and the local views, [V·B, 3, S, S] each.
    private (Tensor Global, Tensor? Local) Cut(HostBatch host, Random random)
    {
        var blocks = host.Blocks.Select(block => Cut(block, host.Draws)).ToList();
        var global = Recolor(blocks.ConvertAll(b => b.Global), host, 0, options.GlobalViews, random);
        if (options.LocalViews == 0) return (global, null);
        return (global, Recolor(blocks.ConvertAll(b => b.Local!), host, options.GlobalViews, options.LocalViews, random));
    }

    // The views of a block's images, [V, rows, 3, S, S] each.
    private (Tensor Global, Tensor? Local) Cut(PixelBlock block, ViewDraw[][] draws)
    {
        using var scope = NewDisposeScope();
        var images = block.Pixels.SentTo(normalizer.Device).to_type(ScalarType.Float32);
        var global = Views(0, options.GlobalViews, globalSize);
        return (global, options.LocalViews == 0 ? null : Views(options.GlobalViews, options.LocalViews, localSize));

        Tensor Views(int first, int count, int size)
        {
            var shown = draws.Skip(block.First).Take(block.Sizes.Count).Select(d => d[first..(first + count)]);
            CropRegion[][] regions = [.. shown.Select(d => Array.ConvertAll(d, view => view.Region))];
            return CropResampler.Resample(images, block.Sizes, regions, size).MoveToOuterDisposeScope();
        }
    }

    private Tensor Recolor(List<Tensor> blocks, HostBatch host, int first, int views, Random random)
    {
        using var scope = NewDisposeScope();
        var cropped = cat(blocks, 1).flatten(0, 1);                                                     // [V·B, 3, S, S]
        var draws = Enumerable.Range(first, views).SelectMany(v => host.Draws.Select(d => d[v])).ToList();
        var inUnits = cropped.div_(Number(255)).clamp_(Number(0), Number(1));
        var colored = ColorAugmentation.Apply(inUnits, draws, ColorAugmentation.DrawOrder(random));
        return normalizer.Normalize(colored.mul_(Number(255))).MoveToOuterDisposeScope();
    }

    private ViewGroup Group(int views, Tensor images, TokenBlock? tokens) => new(views, images, tokens?.On(normalizer.Device));
}
