using System.Globalization;
using System.Text;

namespace MaskBias.MLNet.Distributed;

/// <summary>Where the ranks run: those on this machine can be looked at when one does not answer.</summary>
internal sealed class RankPeers
{
    private readonly (string Host, int Process)[] ranks;

    /// <param name="mine">What <see cref="Describe"/> gave each rank.</param>
    public RankPeers(byte[][] mine) => ranks = [.. mine.Select(Parse)];

    /// <summary>This process, for the others.</summary>
    public static byte[] Describe() => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId} {Environment.MachineName}"));

    /// <summary>A rank of this machine whose process has ended, or −1.</summary>
    public int FindDead(int self)
    {
        for (int rank = 0; rank < ranks.Length; rank++)
        {
            if (rank != self && OnThisMachine(rank) && !Runs(ranks[rank].Process)) return rank;
        }
        return -1;
    }

    /// <summary>A rank as people find it.</summary>
    public string Name(int rank) =>
        rank < ranks.Length ? $"rank {rank} (process {ranks[rank].Process} on {ranks[rank].Host})" : $"rank {rank}";

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
