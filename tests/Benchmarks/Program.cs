using MaskBias.MLNet.Benchmarks;
using MaskBias.MLNet.Benchmarks.Classifiers;
using MaskBias.MLNet.Benchmarks.Distributed;
using MaskBias.MLNet.Benchmarks.Experiments;
using MaskBias.MLNet.Benchmarks.Fuzzing;
using MaskBias.MLNet.Benchmarks.Kernels;
using MaskBias.MLNet.Benchmarks.Scale;

// Each benchmark prints what it measured, as ratios within this run where it can: seconds differ from machine to machine.
var benchmarks = new SortedDictionary<string, (string About, Action<TextWriter> Run)>(StringComparer.Ordinal)
{
    ["augmentation"] = ("decoding and DINO's views against Skia decoding and resizing the same crops", AugmentationBenchmark.Run),
    ["bias"] = ("a training step guided by masks against a plain one", BiasBenchmark.Run),
    ["embed"] = ("EmbedImages from files against a bare ONNX Runtime session on ready tensors", EmbedBenchmark.Run),
    ["engine"] = ("a step of the training loop against a bare loop of the same tensor work", EngineBenchmark.Run),
    ["experiment"] = ("an experiment of 3 minutes on photographs: trials, share of time in trainers, memory", ExperimentBenchmark.Run),
    ["experiment-long"] = ("the same with an equal share of an hour for each candidate (MASKBIAS_MINUTES)", ExperimentBenchmark.RunExhaustive),
    ["experiment-labels"] = ("accuracy against the number of labels, with and without pretraining", ExperimentBenchmark.RunLabels),
    ["memory-presets"] = ("memory of a training step of each preset: once and for each image, with RecomputeBlocks and without", MemoryPresetsBenchmark.Run),
    ["mae"] = ("a step of MAE against one with every patch visible", MaeStepBenchmark.Run),
    ["precision"] = ("a training step in bfloat16 against one in float32, on the processor", PrecisionBenchmark.Run),
    ["fit"] = ("images a second of a whole Fit against a bare loop with ready batches, for each method", FitBenchmark.Run),
    ["forward"] = ("FLOP/s of ViT-S/16's forward pass against plain matrix products", ForwardBenchmark.Run),
    ["fuzz-masks"] = ("100,000 damaged and hostile mask files of each format: read or refused", MaskFuzz.Run),
    ["fuzz-weights"] = ("100,000 damaged and hostile weight files of each format: read or refused", ReaderFuzz.Run),
    ["mask-tokens"] = ("mask token vectors of a batch of 64 crops with 64 masks", MaskTokensBenchmark.Run),
    ["masks-agreement"] = ("best IoU of the segmenter's and of stored masks with object masks", MasksAgreementBenchmark.Run),
    ["onnx"] = ("ONNX Runtime on our ViT-S/16 against PyTorch's export", OnnxBenchmark.Run),
    ["hostile"] = ("10,000 hostile images to a served model: refused or embedded, never another fault", HostileBenchmark.Run),
    ["hostile-web"] = ("10,000 hostile requests to the Search app: no crash, no fault, nothing touched outside", HostileWebBenchmark.Run),
    ["index"] = ("exact search against the memory read bandwidth; kill -9 during writes", IndexBenchmark.Run),
    ["sam"] = ("the image encoder of Segment Anything against plain matrix products", SamBenchmark.Run),
    ["optimizer"] = ("an update of AdamW on the parameters of ViT-S against TorchSharp's", OptimizerBenchmark.Run),
    ["rank-faults"] = ("ten jobs of two ranks each that are killed, throw, hang or find the disk full: they end and go on (MASKBIAS_EACH)", RankFaultsBenchmark.Run),
    ["scale"] = ("how the cost of training grows with images, tokens, masks and batch, drawn to MASKBIAS_PLOT", ScaleBenchmark.Run),
    ["scaling"] = ("a step on one rank and on two, against the model of docs/scaling.md (MASKBIAS_RATE='small 224 4 5')", ScalingBenchmark.Run),
    ["probe"] = ("a linear probe on 2,000 embeddings against LbfgsMaximumEntropy", ProbeBenchmark.Run),
    ["recompute"] = ("memory and time of ViT-B's training pass with blocks that are computed again", RecomputeBenchmark.Run),
    ["kernels"] = ("inner loops by BenchmarkDotNet: views, AdamW, mask token vectors", KernelBenchmark.Run),
    ["large-photos"] = ("reading photographs of 12 megapixels for training against decoding them whole", LargePhotosBenchmark.Run),
    ["rle"] = ("COCO run lengths encoded and decoded, pixels per second", RleBenchmark.Run),
    ["segmenter"] = ("images segmented per second, one thread", SegmenterBenchmark.Run),
    ["reload"] = ("the served file replaced every 2 s for 90 s under 64 clients: failures and memory", ServeBenchmark.RunReloads),
    ["serve"] = ("64 clients for 60 s against the offline rate; memory", ServeBenchmark.Run),
    ["startup"] = ("from the start of a process to the first embedding by a saved ViT-S", StartupBenchmark.Run),
    ["steps"] = ("10,000 steps of a whole Fit: live tensors and memory stay flat", StepsBenchmark.Run),
    ["soak"] = ("a training process killed 50 times at random moments: it goes on, bit for bit", SoakBenchmark.Run),
    ["weights"] = ("loading a checkpoint of 350 MB against reading its bytes", WeightsBenchmark.Run),
};

// A child that the index benchmark starts, and kills.
if (args is ["index-writer", var indexPath, var from]) return IndexBenchmark.WriteUntilKilled(indexPath, int.Parse(from, System.Globalization.CultureInfo.InvariantCulture));

// One that the startup benchmark times.
if (args is ["first-embedding", var savedModel, var photo]) return StartupBenchmark.Embed(savedModel, photo);

// One that the soak benchmark starts, and kills.
if (args is ["soak-trainer", var soakFolder, var run]) return SoakBenchmark.Train(soakFolder, run);

// One whose memory is measured.
if (args is [MemoryPresetsBenchmark.ChildName, var preset, var recompute]) return MemoryPresetsBenchmark.Measure(preset, recompute);

// One that takes arguments of its own, and hours.
if (args is ["classifiers", .. var studied]) return ClassifierStudy.Run(studied, Console.Out);

string[] unknown = [.. args.Where(name => !benchmarks.ContainsKey(name))];
if (args.Length == 0 || unknown.Length > 0)
{
    if (unknown.Length > 0) Console.Error.WriteLine($"There is no benchmark {string.Join(", ", unknown)}.");
    Console.WriteLine("Usage: dotnet run -c Release --project tests/Benchmarks -- NAME...\n");
    foreach (var (name, (about, _)) in benchmarks) Console.WriteLine($"  {name,-17} {about}");
    Console.WriteLine($"\n{ClassifierStudy.Usage}");
    return args.Length == 0 ? 0 : 2;
}
foreach (string name in args)
{
    Console.WriteLine($"{name}: {benchmarks[name].About}");
    benchmarks[name].Run(Console.Out);
}
return 0;
