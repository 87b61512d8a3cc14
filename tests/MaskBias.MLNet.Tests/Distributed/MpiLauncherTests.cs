using MaskBias.MLNet.Distributed;

namespace MaskBias.MLNet.Tests.Distributed;

public sealed class MpiLauncherTests
{
    [Theory]
    [InlineData("OMPI_COMM_WORLD_SIZE", "Open MPI")]
    [InlineData("PMI_SIZE", "MPICH")]
    [InlineData("SLURM_STEP_NUM_TASKS", "srun")]
    public void A_launcher_is_known_by_its_environment(string variable, string name)
    {
        var launcher = MpiLauncher.Find(v => v == variable ? "4" : null);
        Assert.Contains(name, launcher!.Name);
        Assert.Equal(4, launcher.Size);
        Assert.Null(MpiLauncher.Find(_ => null));
        Assert.Null(MpiLauncher.Find(v => v == variable ? "many" : null));
    }

    [Fact]
    public void A_launcher_of_another_mpi_is_refused_with_the_reason()
    {
        var launcher = new MpiLauncher("Open MPI's mpirun", 2);
        string? reason = MpiWorld.Mismatch(launcher, size: 1, "MPICH 4.0");
        Assert.Contains("Open MPI's mpirun started 2 processes", reason);
        Assert.Contains("MPICH 4.0", reason);
        Assert.Contains("MASKBIAS_MPI_LIBRARY", reason);
        Assert.Null(MpiWorld.Mismatch(launcher, size: 2, ""));
        Assert.Null(MpiWorld.Mismatch(launcher with { Size = 1 }, size: 1, ""));
        Assert.Null(MpiWorld.Mismatch(null, size: 1, ""));
    }

    [Fact]
    public void An_alarm_arrives_as_it_was_sent()
    {
        var alarm = new Alarm(AlarmKind.Failed, 3, "disk is full: größer");
        Assert.Equal(alarm, Alarm.Decode(alarm.Encode()));
        var cut = Alarm.Decode((alarm with { Text = new string('ä', 5000) }).Encode());
        Assert.All(cut.Text, c => Assert.Equal('ä', c));
        Assert.InRange(cut.Text.Length, 500, 511);
        Assert.Equal("", Alarm.Decode([1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, .. new byte[Alarm.Length - 9]]).Text);        // a hostile length
    }

    [Fact]
    public void Nccl_refuses_the_processor() =>
        Assert.Contains("CUDA device", Assert.Throws<ArgumentException>(() => NcclRanks.CheckDevice(TorchSharp.torch.CPU)).Message);

    [Fact]
    public void The_constants_of_an_abi_are_those_of_its_header()
    {
        Assert.Equal((0x44000000, -1), ((int)MpiConstants.Mpich.World, (int)MpiConstants.Mpich.InPlace));
        Assert.Equal((0x101, 1, 0x21), ((int)MpiConstants.Standard.World, (int)MpiConstants.Standard.InPlace, (int)MpiConstants.Standard.Sum));
        var asked = new List<string>();
        var open = MpiConstants.OpenMpi(name =>
        {
            asked.Add(name);
            return asked.Count;
        });
        Assert.Equal(5, asked.Distinct().Count());
        Assert.Equal(5, new[] { open.World, open.Float, open.Double, open.Byte, open.Sum }.Distinct().Count());
    }
}
