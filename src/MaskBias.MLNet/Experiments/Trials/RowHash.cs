using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Training.Output;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Experiments.Trials;

/// <summary>Hashes the images of rows as they are read, so that a resumed experiment knows its data again.</summary>
internal sealed class RowHash(string imageColumnName) : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private Action append = () => { };

    /// <summary>Follows a cursor.</summary>
    public void Read(DataViewRow cursor)
    {
        var (column, kind) = ImageColumn.Find(cursor.Schema, imageColumnName);
        switch (kind)
        {
            case ImageColumnKind.Path:
                var path = cursor.GetGetter<ReadOnlyMemory<char>>(column);
                ReadOnlyMemory<char> text = default;
                append = () =>
                {
                    path(ref text);
                    string file = text.ToString();              // it may move with its folder
                    Append($"{Path.GetFileName(Path.GetDirectoryName(file))}/{Path.GetFileName(file)}\n");
                };
                break;
            case ImageColumnKind.Encoded:
                var bytes = cursor.GetGetter<VBuffer<byte>>(column);
                VBuffer<byte> buffer = default;
                append = () =>
                {
                    bytes(ref buffer);
                    Append($"{buffer.Length} ");
                    hash.AppendData([.. buffer.DenseValues()]);
                };
                break;
            default:
                var pixels = cursor.GetGetter<MLImage>(column);
                MLImage? image = null;
                append = () =>
                {
                    pixels(ref image!);
                    Append(image is null ? "none " : $"{image.Width}x{image.Height} ");
                    if (image is not null) hash.AppendData(image.Pixels);
                };
                break;
        }
    }

    /// <summary>Adds the row that the cursor is on.</summary>
    public void AppendRow() => append();

    /// <summary>The fingerprint of the images and of labels.</summary>
    public string Of(ExperimentLabels labels)
    {
        for (int i = 0; i < labels.Count; i++) Append($"{labels.Text(i)}\n");
        return Fingerprint.Of(hash);
    }

    public void Dispose() => hash.Dispose();

    private void Append(string text) => hash.AppendData(MemoryMarshal.AsBytes(text.AsSpan()));
}
