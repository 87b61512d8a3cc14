using System.Diagnostics;
using System.Net;
using MaskBias.MLNet.Benchmarks.Fuzzing;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>10,000 hostile requests by 32 clients to the Search app, a process of its own in folders of its own.</summary>
internal static class HostileWebBenchmark
{
    private const string Images = "../shared/data/odd-images", Secret = "what no answer may hold";
    private const int Requests = 10_000, Clients = 32, TooManyBytes = 20 << 20;

    public static void Run(TextWriter output) => RunAsync(output, Requests).GetAwaiter().GetResult();

    private static async Task RunAsync(TextWriter output, int requests)
    {
        if (!Directory.Exists(Images))
        {
            output.WriteLine($"  {Images} is not there: start from the repository's root, beside ../shared.");
            return;
        }
        string root = Directory.CreateTempSubdirectory("maskbias-hostile-web-").FullName, data = Path.Combine(root, "app", "data");
        foreach (string folder in new[] { "home", "tmp", "app" }) Directory.CreateDirectory(Path.Combine(root, folder));
        File.WriteAllText(Path.Combine(root, "secret.txt"), Secret);
        File.WriteAllText(Path.Combine(root, "app", "secret.txt"), Secret);
        var tiny = new VitOptions { ImageSize = 32, PatchSize = 8, EmbedDim = 24, Depth = 2, Heads = 3 };
        using (var encoder = new VisionEncoder(new VisionTransformer(tiny, seed: 1))) EncoderCheckpoint.Save(encoder, Path.Combine(root, "encoder"));
        var before = FolderSnapshot.Of(root, data);
        using var app = Start(root, data);
        try
        {
            var address = await AddressAsync(app);
            var clock = Stopwatch.StartNew();
            var client = new HostileClient(address, new(ImageDamage.Seeds(Images), most: 2 << 20), TooManyBytes, Secret);
            var outcomes = await client.RunAsync(requests, Clients);
            double seconds = clock.Elapsed.TotalSeconds;
            app.Refresh();
            bool isHealthy = !app.HasExited && await IsHealthyAsync(address);
            // At its start the library may put a copy of a native library there (README, older Linux).
            string native = Path.Combine(root, "tmp", "maskbias-native-");
            string[] touched = [.. FolderSnapshot.Differences(before, FolderSnapshot.Of(root, data))
                .Where(path => !path.StartsWith(native, StringComparison.Ordinal))];
            string list = string.Join("; ", outcomes.OrderByDescending(o => o.Value).Select(o => $"{o.Value} {o.Key}"));
            int faults = outcomes.Where(o => o.Key.StartsWith("FAULT", StringComparison.Ordinal)).Sum(o => o.Value);
            output.WriteLine($"  {requests} requests by {Clients} clients in {seconds:0} s: {list}");
            output.WriteLine($"  faults {faults}; "
                + $"afterwards the app {(isHealthy ? "is healthy" : "DOES NOT ANSWER")}, {(app.HasExited ? 0 : app.WorkingSet64) / 1e6:0} MB; "
                + $"outside its data folder it touched {(touched.Length == 0 ? "nothing" : string.Join(", ", touched))}");
        }
        finally
        {
            if (!app.HasExited) app.Kill(entireProcessTree: true);
            await app.WaitForExitAsync();
            Directory.Delete(root, recursive: true);
        }
    }

    private static Process Start(string root, string data)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Search.dll");
        string[] arguments = ["--encoder", Path.Combine(root, "encoder"), "--data", data, "--port", "0"];
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true, WorkingDirectory = Path.Combine(root, "app"),
        };
        foreach (var (name, folder) in new[] { ("HOME", "home"), ("TMPDIR", "tmp") }) start.Environment[name] = Path.Combine(root, folder);
        start.Environment["DOTNET_EnableDiagnostics"] = "0";            // the runtime's own sockets in TMPDIR
        return Process.Start(start)!;
    }

    private static async Task<Uri> AddressAsync(Process app)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await app.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            if (line.Split(' ').FirstOrDefault(word => word.StartsWith("http://", StringComparison.Ordinal)) is { } address) return new(address);
        }
        throw new InvalidOperationException("Search ended before it listened.");
    }

    private static async Task<bool> IsHealthyAsync(Uri address)
    {
        using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
        using var health = await http.GetAsync("/health");
        using var page = await http.GetAsync("/api/images?count=200");
        return health.StatusCode == HttpStatusCode.OK && page.StatusCode == HttpStatusCode.OK;
    }
}
