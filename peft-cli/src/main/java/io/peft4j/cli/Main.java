package io.peft4j.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command {@code peft4j}. Exit status 0 is success, 1 a failure with one clear line on stderr, 2 wrong usage.
 */
@Command(
        name = "peft4j",
        description = "Fine-tunes language models inside the JVM.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class Main implements Runnable {

    @Spec
    private CommandSpec spec;

    private Main() {
    }

    /**
     * Runs the command line and ends the JVM with its exit status.
     *
     * @param arguments the words after {@code peft4j}
     */
    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    /** The command line as it is run, also for tests. */
    static CommandLine commandLine() {
        return new CommandLine(new Main());
    }

    /** Without a command there is nothing to do. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command");
    }
}
