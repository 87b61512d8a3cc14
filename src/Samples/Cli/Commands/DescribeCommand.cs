using System.CommandLine;
using MaskBias.MLNet.Samples.Cli.Inputs;
using System.Text.Json;
using System.Text.Json.Serialization;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias describe CHECKPOINT</c>: what a file of weights was recognised as.</summary>
internal static class DescribeCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true, Converters = { new JsonStringEnumConverter() },
    };

    public static Command Create()
    {
        var command = new Command("describe", "Says what a checkpoint is, without loading its weights: who wrote it, the encoder's sizes, "
            + "what was assumed, what is left out.");
        var input = new CheckpointInput(command);
        var asJson = new Option<bool>("--json") { Description = "As JSON." };
        command.Add(asJson);
        command.SetAction(parsed =>
        {
            var found = EncoderCheckpoint.Describe(input.Path(parsed), input.Options(parsed));
            Console.WriteLine(parsed.GetValue(asJson) ? JsonSerializer.Serialize(found, Json) : found.ToString().TrimEnd());
            return 0;
        });
        return command;
    }
}
