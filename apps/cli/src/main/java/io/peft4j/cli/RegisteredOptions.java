package io.peft4j.cli;

import io.peft4j.trackers.Tracker;
import io.peft4j.trackers.Trackers;
import java.util.ListResourceBundle;
import java.util.stream.Collectors;
import picocli.CommandLine;

/** What trainings' help says of types that jars on the class path register. */
final class RegisteredOptions extends ListResourceBundle {
    /** Completes the commands that train below a command. */
    static CommandLine on(CommandLine line) {
        line.getSubcommands().values().stream().map(CommandLine::getCommandSpec)
                .filter(command -> command.findOption("--objective") != null)
                .forEach(command -> command.resourceBundle(new RegisteredOptions()));
        return line;
    }

    @Override
    protected Object[][] getContents() {
        return new Object[][] {
            {"trackers", Trackers.all().stream().map(Tracker::form).collect(Collectors.joining(", "))}};
    }
}
