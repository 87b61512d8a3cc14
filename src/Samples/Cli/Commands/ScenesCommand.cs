using System.CommandLine;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Scenes;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias scenes --output DIR</c>: pictures to try everything on where there are no photos.</summary>
internal static class ScenesCommand
{
    public static Command Create()
    {
        var command = new ExampleCommand("scenes",
            "Draws pictures of ten shapes that only their shape tells apart, with the mask of each object: to try everything on without photos.",
            "scenes --output data", "pretrain dino --images data/train --masks data/masks/train --output run");
        var output = new Option<string>("--output")
        {
            Description = "Folder for train/ and test/, a folder per class in each, and for their masks in masks/train/ and masks/test/.", Required = true,
            HelpName = "folder",
        };
        var defaults = new ShapeSceneOptions();
        var train = new Option<int>("--train") { Description = "Pictures of each class to learn from.", DefaultValueFactory = _ => 160 };
        var test = new Option<int>("--test") { Description = "Pictures of each class to measure on.", DefaultValueFactory = _ => 40 };
        var size = new Option<int>("--size") { Description = "Side in pixels.", DefaultValueFactory = _ => defaults.Size };
        var clutter = new Option<double>("--clutter")
        {
            Description = "How much lies behind the object: 1 is about thirty patches, blobs, lines and specks, 0 is none; at most 4.",
            DefaultValueFactory = _ => defaults.Clutter,
        };
        var seed = new Option<int>("--seed")
        {
            Description = "The same seed gives the same pictures; those to measure on are the next seed's, so that seeds two apart share none.",
            DefaultValueFactory = _ => defaults.Seed,
        };
        var json = Session.JsonOption();
        foreach (Option option in new Option[] { output, train, test, size, clutter, seed, json }) command.Add(option);
        command.SetAction(parsed => Session.Run(parsed, json, session =>
        {
            string folder = parsed.GetValue(output)!;
            // Test pictures are those of another seed: none is among the others, however many there are.
            int learned = Draw("train", parsed.GetValue(train), parsed.GetValue(seed)), held = Draw("test", parsed.GetValue(test), unchecked(parsed.GetValue(seed) + 1));
            session.Result(("folder", folder), ("classes", ShapeScenes.ClassNames.Count), ("to learn from", learned), ("to measure on", held));

            int Draw(string part, int perClass, int drawn) => UsageException.Checked(() => ShapeScenes.Generate(
                Path.Combine(folder, part),
                new() { Size = parsed.GetValue(size), ImagesPerClass = perClass, Clutter = parsed.GetValue(clutter), Seed = drawn },
                session.Token, Path.Combine(folder, "masks", part))).Count;
        }));
        return command;
    }
}
