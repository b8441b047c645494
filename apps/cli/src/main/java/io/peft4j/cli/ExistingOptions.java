package io.peft4j.cli;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.IfExists;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The option of what happens to an output that is there already. */
@HelpGroup(HelpGroup.OUTPUT)
final class ExistingOptions {
    static final String NAME = "--if-exists";

    @Option(names = NAME, paramLabel = "fail|next|overwrite", defaultValue = "fail",
            description = "What happens if the output is there already: fail, since what is named here is read "
                    + "from here afterwards; next takes the next free name, such as NAME-2; overwrite replaces it. "
                    + "Default: ${DEFAULT-VALUE}")
    private IfExists ifExists;

    IfExists policy() {
        return ifExists;
    }

    /** The policy where {@link #choose} has chosen the place: what is there is replaced, or nothing is there. */
    IfExists inChosen() {
        return ifExists == IfExists.OVERWRITE ? IfExists.OVERWRITE : IfExists.FAIL;
    }

    /** Where to write. */
    Path choose(Path wanted) {
        return ifExists.choose(wanted);
    }

    /** The policy of a name, for the command line. */
    static IfExists policy(String name) {
        try {
            return IfExists.named(name);
        } catch (ConfigurationException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
