using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace MaskBias.MLNet.Tests.Weights.Onnx;

/// <summary>A graph is not refused for the name of a file that ML.NET draws.</summary>
public sealed class OnnxLoadingTests : IDisposable
{
    private readonly TempFolder folder = new();

    // What ML.NET's error says is what ONNX Runtime says of a graph in a file of that name.
    [Fact]
    public void A_graph_in_a_file_whose_name_ends_with_ort_is_tried_again_under_another()
    {
        using var encoder = TinyEncoders.Plain();
        byte[] graph = OnnxEncoder.Export(encoder);
        string[] names = ["drawn.ort", "drawn.abc"];
        int tries = 0;
        using var session = OnnxLoading.Retried(() =>
        {
            string path = folder.Write(names[tries++], graph);
            try
            {
                return new InferenceSession(path);
            }
            catch (OnnxRuntimeException e)
            {
                throw new InvalidOperationException($"Error initializing model :{e}", e);          // as ML.NET does
            }
        });
        Assert.Equal(2, tries);
        Assert.NotEmpty(session.InputNames);
    }

    [Fact]
    public void Other_faults_are_told_at_once()
    {
        int tries = 0;
        Assert.Throws<InvalidOperationException>(() => OnnxLoading.Retried<int>(() => throw new InvalidOperationException($"{++tries}")));
        Assert.Equal(1, tries);
    }

    public void Dispose() => folder.Dispose();
}
