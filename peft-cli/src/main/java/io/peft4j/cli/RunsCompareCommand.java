package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.train.runs.RunComparison;
import io.peft4j.train.runs.TrainingRecord;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j runs compare}: several trainings on one page. */
@Command(name = "compare", sortOptions = false, description = "Writes one page of several trainings: a plot for each "
        + "metric with a line for each training, where they ended, and the settings that differ.")
final class RunsCompareCommand extends PeftCommand {
    @Parameters(arity = "2..*", paramLabel = "DIR", description = "The output folders of the trainings.")
    private List<Path> folders;

    @Option(names = "--output", required = true, paramLabel = "FILE.html", description = "Where the page goes.")
    private Path output;

    @Mixin
    private ExistingOptions existing;

    @Option(names = "--json", description = "Prints one JSON object: the trainings, and the settings that differ.")
    private boolean json;

    @Override
    public Integer call() {
        Path page = existing.choose(output);
        RunComparison comparison = new RunComparison(folders.stream().map(TrainingRecord::read).toList());
        comparison.write(page);
        if (json) {
            ObjectNode line = Json.MAPPER.createObjectNode().put("page", page.toString());
            comparison.runs().forEach(run -> line.withArray("runs").add(RunsCommand.line(run)));
            line.set("differences", Json.MAPPER.valueToTree(comparison.differences()));
            console().print(line);
        } else {
            comparison.runs().forEach(run -> console().out().println(RunsCommand.words(run)));
            comparison.differences().forEach((name, values) -> console().out().println(name + ": "
                    + String.join(", ", values)));
            console().out().println(page);
            console().checkOut();
        }
        return 0;
    }
}
