package io.peft4j.cli;

import java.util.List;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code peft4j completion}: a script that completes commands and options in a shell. */
@Command(name = "completion", description = {"Prints a script that completes commands and options in bash or zsh.",
    "Add to .bashrc or .zshrc: source <(peft4j completion bash)"})
final class CompletionCommand extends PeftCommand {
    /** One script serves both, since zsh runs bash's completions. */
    private static final List<String> SHELLS = List.of("bash", "zsh");

    @Parameters(paramLabel = "SHELL", description = "bash or zsh.")
    private String shell;

    @Override
    public Integer call() {
        if (!SHELLS.contains(shell)) {
            throw usage("there is no completion for '" + shell + "'; there is one for " + SHELLS);
        }
        console().print(AutoComplete.bash("peft4j", Main.commandLine()));
        return 0;
    }
}
