using System.Text.Json;
using MaskBias.MLNet.Tests.Samples;

namespace MaskBias.MLNet.Tests;

/// <summary>A saved model used by a process that has ML.NET and ONNX Runtime alone.</summary>
internal static class FreshProcess
{
    /// <summary>A line per image: path, features, score and label, whichever the model has.</summary>
    public static string[] Run(string modelPath, params string[] images)
    {
        var (code, output, errors) = BuiltProgram.Run("tests/FreshProcess", "FreshProcess", [modelPath, .. images]);
        Assert.True(code == 0, $"FreshProcess ended with {code}: {errors}");
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Equal(images.Length, lines.Length);
        return lines;
    }

    /// <summary>Class and scores of each image.</summary>
    public static (string Label, float[] Score)[] Classify(string modelPath, params string[] images) =>
        [.. Run(modelPath, images).Select(line =>
        {
            using var json = JsonDocument.Parse(line);
            return (json.RootElement.GetProperty("label").GetString()!, json.RootElement.GetProperty("score").EnumerateArray().Select(v => v.GetSingle()).ToArray());
        })];
}
