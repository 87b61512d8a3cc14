using System.CommandLine;
using MaskBias.MLNet.Samples.Cli.Output;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias completion bash|zsh|powershell</c>: a script that lets the shell complete commands and options.</summary>
internal static class CompletionCommand
{
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["bash"] = """
            _maskbias() { local IFS=$'\n'; COMPREPLY=( $(compgen -W "$(maskbias "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}") ); }
            complete -o default -F _maskbias maskbias
            """,
        ["zsh"] = """
            _maskbias() { local -a found; found=("${(@f)$(maskbias "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}"); compadd -- $found; }
            compdef _maskbias maskbias
            """,
        ["powershell"] = """
            Register-ArgumentCompleter -Native -CommandName maskbias -ScriptBlock { param($word, $line, $position)
                maskbias "[suggest:$position]" "$line" 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) } }
            """,
    };

    public static Command Create()
    {
        var command = new ExampleCommand("completion", "Prints a script for a shell that completes commands and options.", "completion bash >> ~/.bashrc");
        var shell = new Argument<string>("shell") { Description = string.Join(", ", Scripts.Keys) + "." };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        command.Add(shell);
        command.SetAction(parsed =>
        {
            Console.WriteLine(Scripts[parsed.GetValue(shell)!]);
            return 0;
        });
        return command;
    }
}
