using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Vit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>The masked autoencoder of a reference case, of the sizes in its manifest and with its weights.</summary>
internal sealed class MaeReference : IDisposable
{
    private readonly PatchMasker masker;

    private MaeReference(MaeOptions options)
    {
        var encoder = options.Architecture();
        Method = new(options, new VisionTransformer(encoder), new MaeDecoder(encoder, options.Decoder), seed: 1);
        masker = new(options.Encoder.GridSize, options.MaskRatio, options.MaskBlockSize);
    }

    public MaeMethod Method { get; }

    public static MaeReference Model(ReferenceCase fixture, string weights, bool normalizePixels = false)
    {
        var model = new MaeReference(new()
        {
            Encoder = new()
            {
                ImageSize = fixture.Int("img_size"), PatchSize = fixture.Int("patch_size"), EmbedDim = fixture.Int("embed_dim"),
                Depth = fixture.Int("depth"), Heads = fixture.Int("num_heads"),
            },
            Decoder = new()
            {
                EmbedDim = fixture.Int("dec_dim"), Depth = fixture.Int("dec_depth"), Heads = fixture.Int("dec_heads"),
                NormalizePixels = normalizePixels,
            },
            MaskRatio = fixture.Double("mask_ratio"),
        });
        fixture.LoadInto(model.Method.Encoder, weights);
        fixture.LoadInto(model.Method.Decoder, weights);
        return model;
    }

    public PatchMasking Masking(Tensor noise) => masker.From(noise);

    public void Dispose()
    {
        Method.Encoder.Dispose();
        Method.Decoder.Dispose();
        Method.Dispose();
    }
}
