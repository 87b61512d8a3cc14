// What mpirun starts for the tests: MaskBias.MLNet.Ranks NAME...
// Rank 0 writes a line per check; the exit code is 0 when all hold.
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.RankPrograms;
using TorchSharp;

TorchRuntime.EnsureLoaded();
torch.set_num_threads(1);
try
{
    if (args is ["nccl"]) return NcclCheck.Run();
    using var ranks = Ranks.Open(DistributedTraining.Mpi, timeoutSeconds: 40, torch.CPU);
    return ranks.Guard(() => args switch
    {
        ["exchange"] => Exchange.Run(ranks),
        ["equal", .. var names] => Equality.Run(ranks, names),
        ["rate", .. var sizes] => StepRate.Run(ranks, sizes),
        _ => throw new ArgumentException("usage: MaskBias.MLNet.Ranks exchange | equal [METHOD...] | rate [SIZE...] | nccl"),
    });
}
catch (Exception e) when (e is ArgumentException or RankFailedException or DllNotFoundException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
