package io.peft4j.cli;

import picocli.CommandLine.Command;

/** {@code peft4j data}: looks at data, mends it, and cuts it up. */
@Command(name = "data", description = "Checks, cleans, splits, converts, augments, labels, mixes and previews "
        + "training data, mines negatives for it, and makes it of handbooks.",
        subcommands = {DataCheckCommand.class, DataCleanCommand.class, DataSplitCommand.class, DataConvertCommand.class,
            DataFromHandbookCommand.class, DataAugmentCommand.class, DataLabelCommand.class, DataNegativesCommand.class,
            DataMixCommand.class, DataPreviewCommand.class})
final class DataCommand extends CommandGroup {
}
