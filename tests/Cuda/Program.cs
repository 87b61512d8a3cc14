// MaskBias.MLNet.Cuda checks | rates dino|mae|fit [STEPS] | curves [STEPS]
// The exit code is 0 when all checks hold, 2 where there is no CUDA device; curves is for processors too.
using MaskBias.MLNet.CudaPrograms;
using MaskBias.MLNet.Native;
using TorchSharp;

TorchRuntime.EnsureLoaded();
if (!torch.cuda_is_available() && args is not ["curves", ..])
{
    Console.Error.WriteLine("libtorch sees no CUDA device: build with -p:TorchBackend=cuda-linux on a machine that has one.");
    return 2;
}
switch (args)
{
    case ["checks"]: return Checks.Run(Console.Out);
    case ["rates", "dino" or "mae" or "fit", ..]: return Rates.Run(Console.Out, args[1], args.Length > 2 ? int.Parse(args[2]) : 30);
    case ["curves", .. var rest]: return Curves.Run(Console.Out, rest.Length > 0 ? int.Parse(rest[0]) : 300);
    default:
        Console.Error.WriteLine("usage: MaskBias.MLNet.Cuda checks | rates dino|mae|fit [STEPS] | curves [STEPS]");
        return 2;
}
