using MaskBias.MLNet.Samples.Cli;
using MaskBias.MLNet.Samples.Cli.Commands;
using MaskBias.MLNet.Samples.Cli.Output;

namespace MaskBias.MLNet.Tests.Samples;

/// <summary>Mistakes of who uses the tool: one line that says which option, what was given, what is allowed, and exit code 2.</summary>
public sealed class CliMistakesTests : IDisposable
{
    private readonly TempFolder folder = new();

    // What the command line itself shows, without a process.
    [Theory]
    [InlineData("", "maskbias needs a command: pretrain, distill, probe, ")]
    [InlineData("sell", "'sell' is neither a command nor an option; --help lists them.")]
    [InlineData("--nonsense", "'--nonsense' is neither a command nor an option; --help lists them.")]
    [InlineData("describe x.pth --tree", "'--tree' is neither a command nor an option; --help lists them.")]
    [InlineData("describe x.pth extra", "'extra' is neither a command nor an option; --help lists them.")]
    [InlineData("pretrain", "pretrain needs a command: dino, mae.")]
    [InlineData("pretrain dinov3", "'dinov3' is neither a command nor an option; --help lists them.")]
    [InlineData("pretrain dino --output o", "--images is missing: Your images: a folder per class, ")]
    [InlineData("pretrain dino --images i --output o --epochs", "--epochs has no value: Passes over the images. ")]
    [InlineData("pretrain dino --images i --output o --epochs many", "--epochs is 'many'; it must be a whole number.")]
    [InlineData("pretrain dino --images i --output o --epochs 99999999999", "--epochs is '99999999999'; it must be a whole number.")]
    [InlineData("pretrain dino --images i --output o --epochs 1 --epochs 2", "--epochs is given 2 times: '1', '2'; once is allowed.")]
    [InlineData("pretrain dino --images i --output o --learning-rate NaN", "--learning-rate is 'NaN'; it must be a number.")]
    [InlineData("pretrain dino --images i --output o --seed 1.5", "--seed is '1.5'; it must be a whole number.")]
    [InlineData("pretrain dino --images i --output o --device tpu", "--device is 'tpu'; it must be auto, cpu, cuda or cuda:N.")]
    [InlineData("pretrain dino --images i --output o --mask-bias-kind fuzzy", "--mask-bias-kind is 'fuzzy'; it must be one of Soft, ")]
    [InlineData("pretrain dino --images i --output o --mask-format gif", "--mask-format is 'gif'; it must be one of Auto, ")]
    [InlineData("describe", "checkpoint is missing: A folder, or a file: safetensors, ")]
    [InlineData("report", "run is missing: ")]
    [InlineData("study", "plan is missing: The plan, a JSON file")]
    [InlineData("study p.json --time-limit soon", "--time-limit is 'soon'; it must be a number.")]
    [InlineData("study p.json --processes two", "--processes is 'two'; it must be a whole number.")]
    [InlineData("completion", "shell is missing: bash, zsh, powershell.")]
    [InlineData("completion fish", "shell is 'fish'; it must be one of bash, powershell, zsh.")]
    [InlineData("knn x.pth --images i --heads four", "--heads is 'four'; it must be a whole number.")]
    [InlineData("embed x.pth --images i --output o --device tpu", "--device is 'tpu'; it must be auto, cpu, cuda or cuda:N.")]
    [InlineData("bench --size huge", "--size is 'huge'; it must be one of base, small, tiny.")]
    [InlineData("probe x.pth --images i --output o --weight-decays 0.1,much", "--weight-decays is '0.1,much'; it must be numbers with commas between them.")]
    [InlineData("probe x.pth --images i --output o --preset paper", "--preset is 'paper'; it must be one of dino, mae, sweep.")]
    [InlineData("export a b", "--format is missing: ")]
    [InlineData("export a b --format Pickle", "--format is 'Pickle'; it must be one of Dino, ")]
    [InlineData("export a b --format Onnx --outputs Nothing", "--outputs is 'Nothing'; it must be one of ClassToken, Features, ")]
    public void A_command_line_that_cannot_be(string line, string expected)
    {
        string fault = CommandLineFault.Describe(ToolCommand.Create().Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))!;
        Assert.StartsWith(expected, fault);
        Assert.DoesNotContain('\n', fault);
        Assert.DoesNotContain("System.", fault);
    }

    // What a look at the files or the library's own limits shows.
    [Theory]
    [InlineData("DinoOptions cannot be used: Epochs is 0; it must lie in [1, 1000000]. BatchSize is 0; ", "--epochs", "0", "--batch-size", "0")]
    [InlineData("PatchSize is 8; it must divide ImageSize 65.", "--encoder-image-size", "65")]
    [InlineData("--masks is 'clouds'; it must be segment, none, sam:CHECKPOINT, or a file or folder that is there.", "--masks", "clouds")]
    [InlineData("--resume and --overwrite exclude each other.", "--resume", "--overwrite")]
    [InlineData("config.json: Head.OutDim is 'x'; it must be a whole number.", "--config", """{ "Head": { "OutDim": "x" } }""")]
    [InlineData("config.json: 'Epoch' is no option of DinoOptions; --help lists them.", "--config", """{ "Epoch": 3 }""")]
    [InlineData("'Haed.OutDim' is no option of DinoOptions; did you mean Head.OutDim?", "--config", """{ "Haed": { "OutDim": 4 } }""")]
    [InlineData("config.json is a JSON Array; it must be an object of options.", "--config", "[1]")]
    [InlineData("config.json cannot be read as a configuration: ", "--config", """{ "Epochs": 3, "Epochs": 4 }""")]
    [InlineData("config.json cannot be read as a configuration: ", "--config", "{")]
    [InlineData("config.json cannot be read as a configuration: ", "--config", "\u0001")]
    [InlineData("config.json cannot be read as a configuration: ", "--config", "")]
    public void A_value_that_cannot_be(string expected, params string[] options)
    {
        foreach (int i in Enumerable.Range(0, 2)) folder.Write($"images/{i}.png", Images.SampleImages.Shape(0, i));
        if (options[0] == "--config")
        {
            folder.Write("config.json", System.Text.Encoding.UTF8.GetBytes(options[1]));
            options[1] = In("config.json");
        }
        var parsed = ToolCommand.Create().Parse(
            ["pretrain", "dino", "--images", In("images"), "--output", In("run"), "--dry-run", .. options]);

        var fault = Assert.Throws<UsageException>(() => parsed.Invoke(new() { EnableDefaultExceptionHandler = false }));
        Assert.Contains(expected, fault.Message);
        Assert.DoesNotContain('\n', fault.Message);
        Assert.False(Directory.Exists(In("run")));
    }

    [Fact]
    public void A_configuration_that_is_not_there_is_named()
    {
        foreach (string name in new[] { "a.png", "b.png" }) folder.Write(name, Images.SampleImages.Shape(0, 1));
        string[] line = ["pretrain", "mae", "--images", folder.Path, "--output", In("run"), "--config", In("absent.json")];
        var parsed = ToolCommand.Create().Parse(line);
        var fault = Assert.Throws<UsageException>(() => parsed.Invoke(new() { EnableDefaultExceptionHandler = false }));
        Assert.Contains("absent.json cannot be read as a configuration: ", fault.Message);
    }

    [Theory]
    [InlineData(2, "sell", "sell")]
    [InlineData(2, "Epochs is 0", "pretrain", "dino", "--images", "FOLDER", "--output", "o", "--epochs", "0")]
    [InlineData(2, "--images is '", "knn", "FIXTURE", "--heads", "4", "--images", "FOLDER")]
    [InlineData(2, "There is no folder", "masks", "--images", "nowhere", "--output", "o")]
    [InlineData(2, "it must end in .parquet or .csv", "embed", "FIXTURE", "--heads", "4", "--images", "FOLDER", "--output", "x.txt")]
    [InlineData(1, "nowhere.pth", "describe", "nowhere.pth")]
    [InlineData(2, "--output is 'tuned'; it must be a file that ends in .zip.", "finetune", "FIXTURE", "--heads", "4", "--images", "FOLDER", "--output", "tuned")]
    [InlineData(2, "--mask-store has no part in --masks segment.", "masks", "--images", "FOLDER", "--output", "o", "--mask-store", "s")]
    [InlineData(2, "--mask-format has no part in --masks none.", "pretrain", "dino", "--images", "FOLDER", "--output", "o", "--masks", "none", "--mask-format", "Coco")]
    [InlineData(2, "--masks has no part here: the teacher is a plain encoder", "distill", "FIXTURE", "--heads", "4", "--images", "FOLDER", "--output", "o", "--masks", "segment")]
    [InlineData(2, "--half has no part in --format Timm.", "export", "a", "b", "--format", "Timm", "--half")]
    public void Mistakes_are_one_line_and_an_exit_code(int expectedCode, string expected, params string[] arguments)
    {
        foreach (string name in new[] { "a.png", "b.png" }) folder.Write(name, Images.SampleImages.Shape(0, 1));
        string checkpoint = Fixtures.Path("mae_forward/mae_pretrain.pth");
        string[] given = [.. arguments.Select(a => a switch { "FOLDER" => folder.Path, "FIXTURE" => checkpoint, _ => a })];
        var (code, _, errors) = BuiltProgram.Run("src/Samples/Cli", "maskbias", given);
        Assert.Equal(expectedCode, code);
        Assert.Contains(expected, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public void What_trains_in_one_process_says_so_under_a_launcher()
    {
        string[] line = ["semi", Fixtures.Path("mae_forward/mae_pretrain.pth"), "--images", folder.Path, "--output", In("model.zip")];
        var launched = new Dictionary<string, string> { ["OMPI_COMM_WORLD_SIZE"] = "2", ["OMPI_COMM_WORLD_RANK"] = "1" };
        var (code, _, errors) = BuiltProgram.RunWith(launched, "src/Samples/Cli", "maskbias", line);
        Assert.Equal((2, "semi trains in one process: start it without mpirun or srun."), (code, errors.Trim()));
    }

    public void Dispose() => folder.Dispose();

    private string In(string name) => Path.Combine(folder.Path, name);
}
