// Search: drop images into a web page, browse by similarity, label some and train a classifier. See --help.
using System.CommandLine;
using MaskBias.MLNet.Samples.Common.Terminal;
using MaskBias.MLNet.Samples.Search;
using MaskBias.MLNet.Samples.Search.Model;

const int Failed = 1, WrongUsage = 2;

var model = new Option<string?>("--model") { Description = "A saved ML.NET model (model.zip) or ONNX encoder." };
var encoder = new Option<string?>("--encoder")
{
    Description = "An encoder's checkpoint; with --model, that model's, which shows where it looks.",
};
var demo = new Option<bool>("--demo") { Description = "Generated scenes and a small encoder, trained at the first start." };
var data = new Option<string?>("--data")
{
    Description = "The folder of all that the app keeps [artifacts/search, or artifacts/search-demo].",
};
var port = new Option<int>("--port")
{
    Description = "The port on 127.0.0.1; 0 for any that is free.", DefaultValueFactory = _ => 5080,
};
var root = new RootCommand("Browses images by similarity on a page of 127.0.0.1, and trains a classifier from a few labels.")
{
    model, encoder, demo, data, port,
};
root.SetAction(async (parsed, cancel) =>
{
    var (modelPath, encoderPath, isDemo) = (parsed.GetValue(model), parsed.GetValue(encoder), parsed.GetValue(demo));
    if (isDemo == (modelPath is not null || encoderPath is not null) || parsed.GetValue(port) is < 0 or > 65535)
    {
        Console.Error.WriteLine(parsed.GetValue(port) is < 0 or > 65535
            ? $"--port is {parsed.GetValue(port)}; it must lie in [0, 65535]."
            : "Give a model: --model model.zip, --encoder FOLDER (the Quickstart writes both), or --demo for one made here.");
        return WrongUsage;
    }
    string folder = Path.GetFullPath(parsed.GetValue(data) ?? (isDemo ? "artifacts/search-demo" : "artifacts/search"));
    using var served = isDemo ? ModelFiles.FromEncoder(DemoModel.Ensure(folder, Console.Out, cancel), folder)
        : modelPath is null ? ModelFiles.FromEncoder(encoderPath!, folder)
        : ModelFiles.FromModel(modelPath, encoderPath);
    var options = new SearchOptions { DataFolder = folder, Port = parsed.GetValue(port) };
    await using var app = await SearchApp.StartAsync(options, served, Console.WriteLine, cancel);
    if (isDemo && app.Collection.Count == 0)
    {
        foreach (var (png, label) in DemoModel.Scenes()) await app.Collection.AddAsync(png, label, cancel);
    }
    Console.WriteLine($"{app.Collection.Count} images in {folder}. Open {app.Address} in a browser; Ctrl-C ends.");
    await app.WaitAsync();
    return 0;
});
var arguments = root.Parse(args);
if (arguments.Errors.Count > 0)
{
    Console.Error.WriteLine(arguments.Errors[0].Message);
    return WrongUsage;
}
try
{
    return await arguments.InvokeAsync(new() { EnableDefaultExceptionHandler = false });
}
catch (OperationCanceledException)
{
    return 130;
}
catch (Exception e) when ((e is Microsoft.Extensions.Options.OptionsValidationException ? e.Message : ExpectedFault.Describe(e)) is { } text)
{
    Console.Error.WriteLine(text);
    return Failed;
}
