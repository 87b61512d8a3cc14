using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.CudaPrograms;

/// <summary>DINO or MAE with a batch that lies ready on the device.</summary>
internal sealed class ReadyMethod(TrainingLoop<ViewBatch> loop, ViewBatch batch, params IDisposable[] owned) : IDisposable
{
    private long step;

    /// <summary>DINO: 2 global views and 8 local ones.</summary>
    public static ReadyMethod Dino(
        VitOptions encoder, int outDim, int images, int globalSize, int localSize, TrainingPrecision precision, Device device, int masks = 0)
    {
        encoder.MaskBias = masks > 0 ? new() { InitialValue = 0.1f } : null;
        DinoBranch student = Branch(encoder, outDim, precision, device), teacher = Branch(encoder, outDim, precision, device);
        var options = new DinoOptions { FreezeLastLayerEpochs = 0, FreezeBiasEpochs = 0, WarmupTeacherTemperatureEpochs = 0 };
        var method = new DinoMethod(options, student, teacher, 1_000_000, device);
        var global = Group(2, images, globalSize, encoder.PatchSize, masks, device);
        var batch = new ViewBatch(global, Group(8, images, localSize, encoder.PatchSize, masks, device));
        return new(Loop(method, images, clip: 3), batch, student, teacher, method);
    }

    /// <summary>MAE with its decoder of 8 blocks and 512 channels.</summary>
    public static ReadyMethod Mae(VitOptions encoder, int images, TrainingPrecision precision, Device device)
    {
        var options = new MaeOptions { Encoder = encoder };
        var model = VisionTransformer.CreateAsMae(options.Architecture(), seed: 1);
        var decoder = new MaeDecoder(options.Architecture(), options.Decoder, seed: 1);
        model.to(device);
        decoder.to(device);
        model.ComputeType = decoder.ComputeType = MatrixPrecision.ComputeType(precision);
        var method = new MaeMethod(options, model, decoder, seed: 2);
        var batch = new ViewBatch(Group(1, images, encoder.ImageSize, encoder.PatchSize, 0, device), null);
        return new(Loop(method, images, clip: 0), batch, model, decoder, method);
    }

    /// <summary>One step.</summary>
    public double Step() => loop.Step(batch, new(1, step++));

    public void Dispose()
    {
        foreach (var part in owned.Append(loop).Append(batch)) part.Dispose();
    }

    private static TrainingLoop<ViewBatch> Loop(ITrainingMethod<ViewBatch> method, int images, double clip)
    {
        method.BeginEpoch(1);
        return new(new()
        {
            Phase = "ready", Epochs = 1, StepsPerEpoch = 1_000_000, BatchSize = images, ClipGradient = clip,
            LearningRate = new(1e-4, 1e-6, 1_000_000), WeightDecay = new(0.04, 0.4, 1_000_000),
        }, method);
    }

    private static DinoBranch Branch(VitOptions encoder, int outDim, TrainingPrecision precision, Device device)
    {
        var backbone = new VisionTransformer(encoder, seed: 1);
        var head = new DinoHead(encoder.EmbedDim, new() { OutDim = outDim }, seed: 1);
        backbone.to(device);
        head.to(device);
        backbone.ComputeType = head.ComputeType = MatrixPrecision.ComputeType(precision);
        return new(backbone, head);
    }

    private static ViewGroup Group(int views, int images, int size, int patch, int masks, Device device)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var pixels = randn([views * images, 3, size, size], generator: generator).to(device).DetachFromDisposeScope();
        long patches = size / patch * (size / patch);
        if (masks == 0) return new(views, pixels, null);
        return new(views, pixels, rand([views * images, masks, patches], generator: generator).to(device).DetachFromDisposeScope());
    }
}
