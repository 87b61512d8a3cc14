// Embeds a folder of images into a Parquet file; run again, it embeds only what is new or changed: Nightly MODEL FOLDER OUTPUT.parquet
using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Samples.Nightly;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

if (args.Length != 3 || !Directory.Exists(args[1]))
{
    Console.Error.WriteLine(args.Length == 3 ? $"There is no folder '{args[1]}'." : "usage: Nightly MODEL FOLDER OUTPUT.parquet");
    return 2;
}
using var cancel = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    cancel.Cancel();
};
try
{
    await using var services = new ServiceCollection()
        .AddMaskBiasEmbeddings(o => (o.ModelPath, o.ReloadInterval) = (args[0], TimeSpan.Zero))
        .BuildServiceProvider();
    var result = await new NightlyJob(services.GetRequiredService<IImageEmbedder>(), Console.Error).RunAsync(args[1], args[2], cancel.Token);
    Console.WriteLine($"{result.Embedded} embedded, {result.Kept} unchanged, {result.Removed} removed, {result.Unreadable} unreadable: {args[2]}");
    return 0;
}
catch (OptionsValidationException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
{
    Console.Error.WriteLine($"{e.Message} The file is as it was.");
    return 1;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Stopped; the file is as it was.");
    return 130;
}
