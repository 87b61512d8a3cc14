using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using MaskBias.MLNet.Distributed;

namespace MaskBias.MLNet.Tests.Distributed;

public sealed class PeerWatchTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_rank_that_is_killed_is_named_at_once(int self)
    {
        if (!OperatingSystem.IsLinux()) return;
        using var other = Process.Start("sleep", "60");
        byte[] mine = RankPeers.Describe();
        byte[] its = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{other.Id} {Environment.MachineName}"));
        using var said = new BlockingCollection<string>();
        using var watch = new PeerWatch(new(self == 0 ? [mine, its] : [its, mine]), self, said.Add);
        Assert.False(said.TryTake(out _, TimeSpan.FromMilliseconds(100)));
        other.Kill();
        Assert.True(said.TryTake(out string? line, TimeSpan.FromSeconds(10)));
        Assert.Equal($"Rank {1 - self} (process {other.Id} on {Environment.MachineName}) has ended: it was killed, crashed or left early.", line);
    }

    [Fact]
    public void Nothing_is_said_once_it_is_disposed_of()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var other = Process.Start("sleep", "60");
        byte[] its = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{other.Id} {Environment.MachineName}"));
        string? said = null;
        new PeerWatch(new([RankPeers.Describe(), its]), 0, line => said = line).Dispose();
        other.Kill();
        other.WaitForExit();
        Thread.Sleep(50);
        Assert.Null(said);
    }
}
