using System.Globalization;
using System.Text;

namespace MaskBias.MLNet.Distributed;

/// <summary>Where the ranks run: those on this machine can be looked at when one does not answer.</summary>
internal sealed class RankPeers
{
    private readonly (string Host, int Process)[] ranks;

    /// <param name="mine">What <see cref="Describe"/> gave each rank.</param>
    public RankPeers(byte[][] mine) => ranks = [.. mine.Select(Parse)];

    /// <summary>Number of ranks.</summary>
    public int Count => ranks.Length;

    /// <summary>This process, for the others.</summary>
    public static byte[] Describe() => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId} {Environment.MachineName}"));

    /// <summary>Which other rank of this machine has ended, as a sentence without its stop; null where none has.</summary>
    /// <param name="self">The rank that asks.</param>
    /// <param name="onlyRoot">Whether rank 0 alone is looked at.</param>
    public string? WhoEnded(int self, bool onlyRoot = false)
    {
        for (int rank = 0; rank < (onlyRoot ? Math.Min(1, ranks.Length) : ranks.Length); rank++)
        {
            if (rank == self || !OnThisMachine(rank) || Runs(ranks[rank].Process)) continue;
            return $"{Name(rank, capital: true)} has ended: it was killed, crashed or left early";
        }
        return null;
    }

    /// <summary>A rank as people find it.</summary>
    public string Name(int rank, bool capital = false)
    {
        string name = capital ? $"Rank {rank}" : $"rank {rank}";
        return rank < ranks.Length ? $"{name} (process {ranks[rank].Process} on {ranks[rank].Host})" : name;
    }

    private bool OnThisMachine(int rank) => OperatingSystem.IsLinux() && ranks[rank].Host == Environment.MachineName;

    // One that has ended and was not yet collected by its launcher counts as ended.
    private static bool Runs(int process)
    {
        try
        {
            string status = File.ReadAllText($"/proc/{process}/stat");
            return status.AsSpan(status.LastIndexOf(')') + 1).TrimStart()[0] is not ('Z' or 'X');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static (string Host, int Process) Parse(byte[] description)
    {
        string[] parts = Encoding.UTF8.GetString(description).Split(' ', 2);
        return (parts[1], int.Parse(parts[0], CultureInfo.InvariantCulture));
    }
}
