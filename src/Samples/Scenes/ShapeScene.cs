namespace MaskBias.MLNet.Samples.Scenes;

/// <summary>One scene: a shape before a cluttered background.</summary>
/// <param name="ClassIndex">The class, an index into <see cref="ShapeScenes.ClassNames"/>.</param>
/// <param name="Size">Height and width in pixels.</param>
/// <param name="Rgb">Size · size · 3 bytes: R, G, B, row by row.</param>
/// <param name="ObjectMask">Size · size bytes: 1 where the object covers at least half of the pixel, else 0.</param>
/// <param name="ObjectColor">The colour that most of the object has, before noise.</param>
public sealed record ShapeScene(int ClassIndex, int Size, byte[] Rgb, byte[] ObjectMask, (byte R, byte G, byte B) ObjectColor);
