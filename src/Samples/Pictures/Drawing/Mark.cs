namespace MaskBias.MLNet.Samples.Pictures.Drawing;

/// <summary>The shape of a point, which tells classes apart where colours do not.</summary>
internal enum Mark
{
    Disc,

    Square,

    Triangle,

    Diamond,
}
