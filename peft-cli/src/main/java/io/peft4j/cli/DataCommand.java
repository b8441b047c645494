package io.peft4j.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code peft4j data}: looks at data, mends it, and cuts it up. */
@Command(name = "data", description = "Checks, cleans, splits, converts, augments, mixes and previews training "
        + "data, and makes it of handbooks.",
        subcommands = {DataCheckCommand.class, DataCleanCommand.class, DataSplitCommand.class, DataConvertCommand.class,
            DataFromHandbookCommand.class, DataAugmentCommand.class, DataMixCommand.class, DataPreviewCommand.class})
final class DataCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "Shows this help.")
    private boolean help;

    /** Without a command there is nothing to do. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command: one of "
                + String.join(", ", spec.subcommands().keySet()));
    }
}
