package io.peft4j.cli;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What all commands share. */
abstract class PeftCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "Shows this help.")
    private boolean help;

    final Console console() {
        return new Console(spec.commandLine().getOut(), spec.commandLine().getErr());
    }

    /** What happens when the program is stopped. */
    final Interrupts interrupts() {
        return ((Main) spec.root().userObject()).interrupts();
    }

    /** The command with its options, as they are declared. */
    final CommandSpec spec() {
        return spec;
    }

    /** Whether an option was given, rather than left at its default. */
    final boolean isGiven(String option) {
        return spec.commandLine().getParseResult().hasMatchedOption(option);
    }

    /** The names of the commands below this one, as they are listed. */
    final List<String> subcommands() {
        return List.copyOf(spec.subcommands().keySet());
    }

    final ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /** Refuses options that have no effect without another one. */
    final void requireWith(String option, List<String> needing) {
        if (!isGiven(option)) {
            needing.stream().filter(this::isGiven).findFirst().ifPresent(given -> {
                throw usage(given + " has no effect without " + option);
            });
        }
    }

    /** A value made of options alone: what is wrong with it is wrong usage. */
    final <T> T fromOptions(Supplier<T> value) {
        try {
            return value.get();
        } catch (ConfigurationException e) {
            throw usage(optionNames().in(e.getMessage()));
        }
    }

    /** What the command's options are called in messages of the library. */
    final OptionNames optionNames() {
        return new OptionNames(spec);
    }
}
