using MaskBias.MLNet.Tests.Images;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Embeddings;

/// <summary>A folder of generated photos, some of each class, as the three kinds of image column.</summary>
internal sealed class ShapePhotos : IDisposable
{
    private readonly TempFolder folder = new();

    public ShapePhotos(int perClass)
    {
        foreach (int i in Enumerable.Range(0, perClass))
        {
            for (int c = 0; c < SampleImages.Classes.Length; c++)
            {
                byte[] png = SampleImages.Shape(c, i, 40 + i % 5 * 7, 44);
                Rows.Add(new() { ImagePath = folder.Write($"{SampleImages.Classes[c]}/{i:d3}.png", png), Encoded = png, Label = SampleImages.Classes[c] });
            }
        }
    }

    public string Path => folder.Path;

    public List<Row> Rows { get; } = [];

    public IDataView Load(MLContext ml) => ml.Data.LoadFromEnumerable(Rows);

    public IDataView LoadWithImages(MLContext ml)
    {
        var data = Load(ml);
        return ml.Transforms.LoadImages("Image", null, "ImagePath").Fit(data).Transform(data);
    }

    public void Dispose() => folder.Dispose();

    public sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public byte[] Encoded { get; set; } = [];

        public string Label { get; set; } = "";
    }

    public sealed class Embedded
    {
        public float[] Features { get; set; } = [];
    }

    public sealed class Prediction
    {
        public float[] Features { get; set; } = [];

        public float[] Score { get; set; } = [];

        public string PredictedLabel { get; set; } = "";
    }
}
