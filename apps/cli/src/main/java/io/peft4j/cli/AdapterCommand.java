package io.peft4j.cli;

import picocli.CommandLine.Command;

/** {@code peft4j adapter}: what can be done with adapters that there are. */
@Command(name = "adapter", sortOptions = false,
        description = "Inspects, merges, converts, combines and scales adapters.",
        subcommands = {AdapterInfoCommand.class, AdapterMergeCommand.class, AdapterConvertCommand.class,
            AdapterCombineCommand.class, AdapterScaleCommand.class})
final class AdapterCommand extends CommandGroup {
}
