using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>A row with a decoded image, or none.</summary>
public sealed class DecodedRow
{
    [ImageType(SceneFolder.Side, SceneFolder.Side)]
    public MLImage? Image { get; set; }
}
