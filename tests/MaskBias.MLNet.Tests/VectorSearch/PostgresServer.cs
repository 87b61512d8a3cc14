using System.Diagnostics;
using Npgsql;

namespace MaskBias.MLNet.Tests.VectorSearch;

/// <summary>
/// A PostgreSQL to test with: the one that MASKBIAS_POSTGRES names (a connection string), or one started for these tests from the installed
/// packages, on a socket in a temporary folder. Without either the tests skip.
/// </summary>
public sealed class PostgresServer : IDisposable
{
    private readonly string? folder;
    private readonly string? initdb = Find("initdb"), control = Find("pg_ctl");

    public PostgresServer()
    {
        ConnectionString = Environment.GetEnvironmentVariable("MASKBIAS_POSTGRES");
        if (ConnectionString is { Length: > 0 } || initdb is null || control is null || !OperatingSystem.IsLinux()) return;
        folder = Directory.CreateTempSubdirectory("maskbias-postgres-").FullName;
        if (Environment.UserName == "root") _ = Run("chown", "postgres", folder);
        string data = Path.Combine(folder, "data");
        if (!AsServer(initdb, "-D", data, "-U", "maskbias", "-A", "trust", "-E", "UTF8", "--no-locale")) return;
        if (!AsServer(control, "-D", data, "-w", "-l", Path.Combine(folder, "log"), "-o", $"-c listen_addresses= -k {folder}", "start")) return;
        ConnectionString = $"Host={folder};Username=maskbias;Database=postgres;Pooling=true;Maximum Pool Size=20";
    }

    public string? ConnectionString { get; }

    public string Require()
    {
        Assert.SkipWhen(string.IsNullOrEmpty(ConnectionString),
            "There is no PostgreSQL: set MASKBIAS_POSTGRES to a connection string, or install the distribution's package postgresql.");
        return ConnectionString!;
    }

    public void Dispose()
    {
        NpgsqlConnection.ClearAllPools();
        if (folder is null) return;
        _ = AsServer(control!, "-D", Path.Combine(folder, "data"), "-m", "immediate", "stop");
        Directory.Delete(folder, recursive: true);
    }

    // The server refuses to run as root.
    private static bool AsServer(string program, params string[] arguments) =>
        Environment.UserName == "root" ? Run("runuser", ["-u", "postgres", "--", program, .. arguments]) : Run(program, arguments);

    private static bool Run(string program, params string[] arguments)
    {
        // The server inherits what it is started with: output that nobody reads must not be a pipe.
        var start = new ProcessStartInfo("sh", ["-c", "\"$0\" \"$@\" >/dev/null 2>&1 </dev/null", program, .. arguments]) { WorkingDirectory = "/tmp" };
        using var process = Process.Start(start)!;
        return process.WaitForExit(60_000) && process.ExitCode == 0;
    }

    private static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(
            Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")) : [])
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
