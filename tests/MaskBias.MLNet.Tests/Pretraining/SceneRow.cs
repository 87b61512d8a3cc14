using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MaskBias.MLNet.Tests.Pretraining;

public sealed class SceneRow
{
    public string ImagePath { get; set; } = "";

    public byte[] Masks { get; set; } = [];

    public float Number { get; set; } = 1;
}

/// <summary>A row with a decoded image, or none.</summary>
public sealed class DecodedRow
{
    [ImageType(SceneFolder.Side, SceneFolder.Side)]
    public MLImage? Image { get; set; }
}
