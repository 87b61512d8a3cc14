using System.CommandLine;
using MaskBias.MLNet.Samples.Cli.Inputs;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Export;
using MaskBias.MLNet.Weights.Onnx;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias export CHECKPOINT OUTPUT --format …</c>: writes an encoder so that others can read it.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var command = new Command("export", "Writes an encoder in a form that others read, with a model card beside it but for this library's own.");
        var input = new CheckpointInput(command);
        var output = new Argument<string>("output") { Description = "The file to write, or a folder for this library's own form." };
        var format = new Option<ExportFormat>("--format") { Description = "Whose form.", Required = true };
        var imageSize = new Option<int?>("--image-size") { Description = "Resamples the positions to this image size, in pixels." };
        var patchSize = new Option<int?>("--patch-size") { Description = "Resamples the patch projection to this patch size, in pixels." };
        var outputs = new Option<OnnxOutputs>("--outputs")
        {
            Description = "ONNX: what the graph gives.", DefaultValueFactory = _ => OnnxOutputs.Features,
        };
        var batch = new Option<int?>("--batch-size") { Description = "ONNX: a fixed number of images; free otherwise." };
        var dynamicSize = new Option<bool>("--dynamic-size") { Description = "ONNX: images of any size." };
        var half = new Option<bool>("--half") { Description = "ONNX: weights of 16 bits, which halves the file." };
        var name = new Option<string?>("--name") { Description = "The model's name in its card." };
        var license = new Option<string?>("--license") { Description = "The weights' licence in the card." };
        command.Add(output);
        foreach (Option option in new Option[] { format, imageSize, patchSize, outputs, batch, dynamicSize, half, name, license }) command.Add(option);

        command.SetAction(parsed =>
        {
            var options = input.Options(parsed);
            (options.ImageSize, options.PatchSize) = (parsed.GetValue(imageSize), parsed.GetValue(patchSize));
            string target = parsed.GetValue(output)!;
            var chosen = parsed.GetValue(format);
            Option[] others = chosen switch
            {
                ExportFormat.Onnx => [],
                ExportFormat.MaskBias => [outputs, batch, dynamicSize, half, name, license],
                _ => [outputs, batch, dynamicSize, half],
            };
            if (others.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } useless)
                throw new UsageException($"{useless.Name} has no part in --format {chosen}.");
            var card = new ModelCard();
            if (parsed.GetValue(name) is { } modelName) card.Name = modelName;
            if (parsed.GetValue(license) is { } terms) card.License = terms;
            using var encoder = EncoderCheckpoint.Load(input.Path(parsed), options);
            switch (chosen)
            {
                case ExportFormat.Onnx:
                    OnnxEncoder.Export(encoder, target, new()
                    {
                        Outputs = parsed.GetValue(outputs), BatchSize = parsed.GetValue(batch), DynamicImageSize = parsed.GetValue(dynamicSize),
                        HalfPrecisionWeights = parsed.GetValue(half),
                    }, card);
                    break;
                case ExportFormat.MaskBias:
                    EncoderCheckpoint.Save(encoder, target);
                    break;
                case var layout:
                    EncoderExport.Save(encoder, target, Enum.Parse<ExportLayout>($"{layout}"), card);
                    break;
            }
            Console.WriteLine(target);
            return 0;
        });
        return command;
    }
}
