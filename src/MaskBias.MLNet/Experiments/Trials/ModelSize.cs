using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.NearestNeighbors;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Experiments.Trials;

/// <summary>About how many bytes a model takes when it is saved, before it is packed.</summary>
internal static class ModelSize
{
    /// <summary>Size of what a trial trained together with its encoder; null where it cannot be saved.</summary>
    public static long? Of(MLContext context, ITransformer model, DataViewSchema input, VisionEncoder encoder) => model switch
    {
        // These are known without writing an ONNX model, which takes longer than many a trial.
        ImageClassifier tuned => Of(tuned.Encoder) + sizeof(float) * tuned.Classes.Count * (tuned.Encoder.FeatureDim + 1L),
        NearestNeighborsTransformer neighbours => Of(encoder) + neighbours.Bytes,
        _ => Of(encoder) + Saved(context, model, input),
    };

    private static long Of(VisionEncoder encoder) => sizeof(float) * encoder.Model.parameters().Sum(p => p.numel());

    private static long? Saved(MLContext context, ITransformer model, DataViewSchema input)
    {
        using var stream = new CountingStream();
        try
        {
            context.Model.Save(model, input, stream);
            return stream.Length;
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }

    // Counts what is written and keeps nothing.
    private sealed class CountingStream : Stream
    {
        private long length;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => length;

        public override long Position
        {
            get => length;
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) => length += count;

        public override void Write(ReadOnlySpan<byte> buffer) => length += buffer.Length;

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
