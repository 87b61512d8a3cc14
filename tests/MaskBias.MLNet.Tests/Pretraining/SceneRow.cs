namespace MaskBias.MLNet.Tests.Pretraining;

public sealed class SceneRow
{
    public string ImagePath { get; set; } = "";

    public byte[] Masks { get; set; } = [];

    public float Number { get; set; } = 1;
}
