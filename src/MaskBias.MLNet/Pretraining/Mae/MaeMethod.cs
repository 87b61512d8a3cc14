using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Pretraining.Mae;

/// <summary>
/// Masked autoencoding: the encoder sees some of the patches, the decoder predicts the others. The masks of the image guide the encoder's
/// attention among the patches it sees.
/// </summary>
internal sealed class MaeMethod : ITrainingMethod<ViewBatch>, IDisposable
{
    private readonly int freezeBiasEpochs;
    private readonly PatchMasker masker;
    private readonly RowDraws draws;

    public MaeMethod(MaeOptions options, VisionTransformer encoder, MaeDecoder decoder, long seed)
    {
        (Encoder, Decoder, freezeBiasEpochs) = (encoder, decoder, options.FreezeBiasEpochs);
        masker = new(decoder.GridSize, options.MaskRatio, options.MaskBlockSize);
        draws = new(new Generator((ulong)seed, CPU));
        encoder.train();
        decoder.train();
        Parameters = [.. encoder.named_parameters().Concat(decoder.named_parameters()).Select(p => (p.name, p.parameter))];
    }

    public VisionTransformer Encoder { get; }

    public MaeDecoder Decoder { get; }

    /// <inheritdoc/>
    public IEnumerable<(string Name, Parameter Parameter)> Parameters { get; }

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, Generator>> Generators => [new("encoder", Encoder.Generator), new("masking", draws.Generator)];

    /// <inheritdoc/>
    public void JoinRanks(RankShare share)
    {
        Encoder.JoinRanks(share);
        draws.Own = share.Rows;
    }

    /// <inheritdoc/>
    public void BeginEpoch(int epoch)
    {
        foreach (var weight in Encoder.BiasParameters) weight.requires_grad = epoch >= freezeBiasEpochs;
    }

    /// <inheritdoc/>
    public Tensor Loss(ViewBatch batch, TrainingPosition position)
    {
        var (images, maskTokens) = (batch.Global.Images, batch.Global.MaskTokens);
        return Loss(images, maskTokens, masker.Draw(images.shape[0], draws, images.device));
    }

    /// <summary>The loss with a given masking.</summary>
    public Tensor Loss(Tensor images, Tensor? maskTokens, PatchMasking masking)
    {
        using var scope = NewDisposeScope();
        var visible = Encoder.ForwardVisible(images, masking.Visible, maskTokens);                  // [B, 1 + V, D]
        var predicted = Decoder.forward(visible, masking.Restore);                                  // [B, N, 3·p²]
        return MaeLoss.Forward(images, predicted, masking.Hidden, Decoder.PatchSize, Decoder.Options.NormalizePixels)
            .MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void BeforeUpdate(TrainingPosition position)
    {
    }

    /// <inheritdoc/>
    public void AfterUpdate(TrainingPosition position)
    {
    }

    /// <summary>Frees the generator; encoder and decoder are the caller's.</summary>
    public void Dispose() => draws.Generator.Dispose();
}
