package io.peft4j.cli;

import io.peft4j.train.runs.TrainingPage;
import io.peft4j.train.runs.TrainingRecord;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j runs show}: one training on a page. */
@Command(name = "show", sortOptions = false, description = {"Writes the page of a training: losses, learning rate, "
        + "gradient norm and speed by step, its plan and settings.",
    "The training may have ended or still run; a training writes the page itself, too, into its output folder."})
final class RunsShowCommand extends PeftCommand {
    @Parameters(index = "0", paramLabel = "DIR", description = "The output folder of the training.")
    private Path folder;

    @Option(names = "--output", paramLabel = "FILE.html",
            description = "Where the page goes (default: " + TrainingPage.FILE + " in DIR).")
    private Path output;

    @Mixin
    private ExistingOptions existing;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        TrainingRecord run = TrainingRecord.read(folder);
        Path page = output == null ? folder.resolve(TrainingPage.FILE) : existing.choose(output);
        new TrainingPage(run).write(page);
        if (json.isGiven()) {
            console().print(RunsCommand.line(run).put("page", page.toString()));
        } else {
            console().out().println(RunsCommand.words(run));
            console().out().println(page);
            console().checkOut();
        }
        return 0;
    }
}
