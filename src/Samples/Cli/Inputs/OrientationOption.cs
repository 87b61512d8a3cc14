using System.CommandLine;

namespace MaskBias.MLNet.Samples.Cli.Inputs;

/// <summary>The option <c>--apply-orientation</c>.</summary>
internal static class OrientationOption
{
    public static Option<bool> Create() => new("--apply-orientation")
    {
        Description = "Whether photos are seen upright, by their EXIF orientation, as in training; with false as ML.NET's own pipeline sees them.",
        DefaultValueFactory = _ => true,
    };
}
