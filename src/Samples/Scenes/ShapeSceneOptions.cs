namespace MaskBias.MLNet.Samples.Scenes;

/// <summary>What <see cref="ShapeScenes"/> draws.</summary>
public sealed class ShapeSceneOptions
{
    /// <summary>Height and width of a scene, in pixels, in [32, 1024].</summary>
    /// <value>64</value>
    public int Size { get; set; } = 64;

    /// <summary>Scenes of each of the ten classes, in [1, 100000].</summary>
    /// <value>200</value>
    public int ImagesPerClass { get; set; } = 200;

    /// <summary>Seed of everything that is drawn. The same seed gives the same pictures, whatever the other counts are.</summary>
    /// <value>1</value>
    public int Seed { get; set; } = 1;

    /// <summary>Smallest extent of the object, as a share of the side, in (0, <see cref="LargestObject"/>].</summary>
    /// <value>0.5</value>
    public double SmallestObject { get; set; } = 0.5;

    /// <summary>Largest extent of the object, as a share of the side, in [<see cref="SmallestObject"/>, 0.75].</summary>
    /// <value>0.75</value>
    public double LargestObject { get; set; } = 0.75;

    /// <summary>How far the object is turned from upright at most, in degrees either way, in [0, 45].</summary>
    /// <value>15</value>
    public double MaximumRotation { get; set; } = 15;

    /// <summary>How far the object's middle lies from the picture's at most, as a share of the side, each way, in [0, 0.5]; it never
    /// leaves the picture.</summary>
    /// <value>0.5</value>
    public double MaximumShift { get; set; } = 0.5;

    /// <summary>Clutter behind the object: 1 is about thirty patches, blobs, lines and specks, 0 is none. In [0, 4].</summary>
    /// <value>1</value>
    public double Clutter { get; set; } = 1;

    internal ShapeSceneOptions Validate()
    {
        Check(Size is >= 32 and <= 1024, nameof(Size), Size, "lie in [32, 1024]");
        Check(ImagesPerClass is >= 1 and <= 100_000, nameof(ImagesPerClass), ImagesPerClass, "lie in [1, 100000]");
        Check(SmallestObject > 0 && SmallestObject <= LargestObject, nameof(SmallestObject), SmallestObject,
            $"lie in (0, LargestObject = {LargestObject}]");
        Check(LargestObject <= 0.75, nameof(LargestObject), LargestObject, "be at most 0.75, so that a turned object fits");
        Check(MaximumRotation is >= 0 and <= 45, nameof(MaximumRotation), MaximumRotation, "lie in [0, 45] degrees");
        Check(MaximumShift is >= 0 and <= 0.5, nameof(MaximumShift), MaximumShift, "lie in [0, 0.5]");
        Check(Clutter is >= 0 and <= 4, nameof(Clutter), Clutter, "lie in [0, 4]");
        return this;
    }

    private static void Check(bool holds, string name, double value, string allowed)
    {
        if (!holds) throw new ArgumentException(FormattableString.Invariant($"{name} is {value}; it must {allowed}."));
    }
}
