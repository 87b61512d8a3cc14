using System.Diagnostics;
using Npgsql;

namespace MaskBias.MLNet.Tests.VectorSearch;

/// <summary>
/// A PostgreSQL to test with: the one that MASKBIAS_POSTGRES names (a connection string), or one started for these tests from the installed
/// packages, on a socket in a temporary folder. Without either the tests skip; where the installed one does not start, they fail.
/// </summary>
public sealed class PostgresServer : IDisposable
{
    private const string ServerUser = "postgres";

    private readonly string? folder;
    private readonly string? initdb = Find("initdb"), control = Find("pg_ctl");
    private readonly string? fault;

    public PostgresServer()
    {
        ConnectionString = Environment.GetEnvironmentVariable("MASKBIAS_POSTGRES");
        if (ConnectionString is { Length: > 0 } || initdb is null || control is null || !OperatingSystem.IsLinux()) return;
        if (IsRoot && !Exists(ServerUser)) return;                  // the server refuses to run as root
        folder = Directory.CreateTempSubdirectory("maskbias-postgres-").FullName;
        string data = Path.Combine(folder, "data");
        string log = Path.Combine(folder, "log");
        fault = (IsRoot ? Run("chown", ServerUser, folder) : null)
            ?? AsServer(initdb, "-D", data, "-U", "maskbias", "-A", "trust", "-E", "UTF8", "--no-locale")
            ?? AsServer(control, "-D", data, "-w", "-l", log, "-o", $"-c listen_addresses= -k {folder}", "start");
        if (fault is not null && File.Exists(log)) fault += File.ReadAllText(log);
        if (fault is null) ConnectionString = $"Host={folder};Username=maskbias;Database=postgres;Pooling=true;Maximum Pool Size=20";
    }

    public string? ConnectionString { get; }

    private static bool IsRoot => Environment.UserName == "root";

    public string Require()
    {
        Assert.True(fault is null, fault);
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

    private static string? AsServer(string program, params string[] arguments) =>
        IsRoot ? Run("runuser", ["-u", ServerUser, "--", program, .. arguments]) : Run(program, arguments);

    // Null where all went well, else what was run and what it said.
    private static string? Run(string program, params string[] arguments)
    {
        // The server inherits what it is started with: its output goes to a file, for a pipe would stay open as long as it runs.
        string said = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo("sh", ["-c", "said=$1; shift; exec \"$@\" >\"$said\" 2>&1 </dev/null", "sh", said, program, .. arguments]) { WorkingDirectory = "/tmp" };
            using var process = Process.Start(start)!;
            bool ended = process.WaitForExit(60_000);
            if (!ended) process.Kill(entireProcessTree: true);
            if (ended && process.ExitCode == 0) return null;
            string how = ended ? $"ended with {process.ExitCode}" : "did not end within a minute";
            return $"PostgreSQL is installed and does not start: {program} {string.Join(' ', arguments)} {how}: {File.ReadAllText(said)}";
        }
        finally
        {
            File.Delete(said);
        }
    }

    private static bool Exists(string user) => File.ReadLines("/etc/passwd").Any(line => line.StartsWith($"{user}:", StringComparison.Ordinal));

    private static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(
            Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")) : [])
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
