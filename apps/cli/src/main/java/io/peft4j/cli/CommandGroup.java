package io.peft4j.cli;

import java.util.List;

/** A command that is nothing but the commands below it. */
abstract class CommandGroup extends PeftCommand {
    /** Without one of them there is nothing to do. */
    @Override
    public final Integer call() {
        List<String> names = subcommands();
        int last = names.size() - 1;
        throw usage("Missing command: " + String.join(", ", names.subList(0, last)) + " or " + names.get(last));
    }
}
