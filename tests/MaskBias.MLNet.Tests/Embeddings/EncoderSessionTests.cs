using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Weights.Onnx;

namespace MaskBias.MLNet.Tests.Embeddings;

/// <summary>Which encoders are embedded with by ONNX Runtime; the others stay with libtorch.</summary>
public class EncoderSessionTests
{
    [Fact]
    public void Encoders_that_need_masks_stay_with_libtorch()
    {
        using var plain = TinyTraining.Teacher();
        using var guided = TinyTraining.Teacher(maskGuided: true);
        Assert.True(EncoderSession.Fits(plain));
        Assert.False(EncoderSession.Fits(guided));
    }

    [Fact]
    public void So_do_those_that_no_ONNX_file_holds()
    {
        Assert.True(OnnxGraph.Holds(1L << 30));
        Assert.False(OnnxGraph.Holds(4 * 632_000_000L));         // ViT-H
    }
}
