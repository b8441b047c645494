package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.train.runs.RunComparison;
import io.peft4j.train.runs.SeedGroup;
import io.peft4j.train.runs.TrainingRecord;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j runs compare}: several trainings on one page. */
@Command(name = "compare", sortOptions = false, description = "Writes one page of several trainings: where they "
        + "ended, with mean and spread over seeds, a plot for each metric, and the settings that differ.")
final class RunsCompareCommand extends PeftCommand {
    @Parameters(arity = "1..*", paramLabel = "DIR", description = "The output folders of the trainings, or one folder "
            + "that holds several of them.")
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
        RunComparison comparison = new RunComparison(TrainingRecord.readAll(folders));
        comparison.write(page);
        if (json) {
            ObjectNode line = CommandJson.MAPPER.createObjectNode().put("page", page.toString());
            comparison.runs().forEach(run -> line.withArray("runs").add(RunsCommand.line(run)));
            comparison.seedGroups().forEach(group -> line.withArray("seed_groups").add(line(group)));
            line.set("differences", CommandJson.MAPPER.valueToTree(comparison.differences()));
            console().print(line);
        } else {
            comparison.runs().forEach(run -> console().out().println(RunsCommand.words(run)));
            for (SeedGroup group : comparison.seedGroups()) {
                int first = comparison.runs().indexOf(group.runs().get(0));
                String settings = comparison.differences().entrySet().stream()
                        .filter(one -> !one.getKey().equals("seed"))
                        .map(one -> ", " + one.getKey() + " " + one.getValue().get(first))
                        .collect(Collectors.joining());
                console().out().printf("over the %s of %s%s:%n", Count.of(group.runs().size(), "seed"),
                        String.join(", ", group.names()), settings);
                group.spreads().forEach((name, spread) -> console().out().printf(Locale.ROOT,
                        "  %s: mean %.4f, standard deviation %.4f%n", name, spread.mean(), spread.deviation()));
            }
            comparison.differences().forEach((name, values) -> console().out().println(name + ": "
                    + String.join(", ", values)));
            console().out().println(page);
            console().checkOut();
        }
        return 0;
    }

    private static ObjectNode line(SeedGroup group) {
        ObjectNode line = CommandJson.MAPPER.createObjectNode();
        group.names().forEach(line.putArray("runs")::add);
        group.spreads().forEach((name, spread) -> line.putObject(name).put("mean", spread.mean())
                .put("standard_deviation", spread.deviation()).put("min", spread.min()).put("max", spread.max()));
        return line;
    }
}
