package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.data.augment.Mixture;
import io.peft4j.data.example.Example;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j data mix}: several data sets in one. */
@Command(name = "mix", sortOptions = false, description = {"Mixes data sets, by default in proportion to their "
        + "sizes, with --guard also general examples against forgetting.",
    "The share of a set is proportional to weight^(1/temperature). No example is repeated before all of its set "
            + "were used once."})
final class DataMixCommand extends PeftCommand {
    @Parameters(arity = "1..*", paramLabel = "FILE", description = "The data sets.")
    private List<Path> data;

    @Mixin
    private RowsOutput output;

    @Option(names = "--weights", split = ",", paramLabel = "X", description = "A weight for each set. Default: its "
            + "size")
    private List<Double> weights = List.of();

    @Option(names = "--temperature", paramLabel = "X", defaultValue = "1", description = "Above 1, small sets are "
            + "drawn more often than in proportion. Default: ${DEFAULT-VALUE}")
    private double temperature;

    @Option(names = "--size", paramLabel = "N", description = "Number of examples, without those of the guard set. "
            + "Default: that of all sets together")
    private Integer size;

    @Option(names = "--guard", paramLabel = "FILE", description = "General examples to mix in against "
            + "forgetting.")
    private Path guard;

    @Option(names = "--guard-share", paramLabel = "X", defaultValue = "0.1", description = "Their share of the whole. "
            + "Default: ${DEFAULT-VALUE}")
    private double guardShare;

    @Mixin
    private SeedOption seed;

    @Mixin
    private DataInput input;

    @Option(names = "--json", description = "Prints {\"rows\", \"sets\": {file: rows}}.")
    private boolean json;

    @Override
    public Integer call() {
        if (!weights.isEmpty() && weights.size() != data.size()) {
            throw usage("--weights names " + Count.of(weights.size(), "weight") + " for "
                    + Count.of(data.size(), "set"));
        }
        if (guard == null && isGiven("--guard-share")) {
            throw usage("--guard-share needs --guard");
        }
        if (weights.stream().anyMatch(weight -> !(weight > 0 && weight < Double.POSITIVE_INFINITY))) {
            throw usage("--weights is " + weights + "; each must be above 0");
        }
        if (size != null && size < 1) {
            throw usage("--size is " + size + "; it must be at least 1");
        }
        if (!(guardShare > 0 && guardShare < 1)) {
            throw usage("--guard-share is " + guardShare + "; it must be above 0 and below 1");
        }
        Mixture mixture = new Mixture().seed(seed.value());
        fromOptions(() -> mixture.temperature(temperature));
        Path target = output.choose(Stream.concat(data.stream(), Stream.ofNullable(guard)).toList());
        int all = 0;
        for (int i = 0; i < data.size(); i++) {
            List<Example> examples = DataInput.examples(input.file(data.get(i)));
            all += examples.size();
            String name = data.get(i).toString();
            if (weights.isEmpty()) {
                mixture.add(name, examples);
            } else {
                mixture.add(name, examples, weights.get(i));
            }
        }
        int wanted = size == null ? all : size;
        List<Example> mixed = mixture.of(wanted);
        Map<String, Integer> rows = new LinkedHashMap<>();
        mixture.shares(wanted).forEach(share -> rows.merge(share.name(), share.drawn(), Integer::sum));
        if (guard != null) {
            int before = mixed.size();
            mixed = Mixture.withGuard(mixed, DataInput.examples(input.file(guard)), guardShare, seed.value());
            rows.merge(guard.toString(), mixed.size() - before, Integer::sum);
        }
        RowsOutput.write(output.open(target), mixed);
        print(target, mixed.size(), rows);
        return 0;
    }

    private void print(Path target, int all, Map<String, Integer> rows) {
        if (json) {
            ObjectNode line = CommandJson.MAPPER.createObjectNode().put("rows", all);
            line.set("sets", CommandJson.MAPPER.valueToTree(rows));
            console().print(line);
            return;
        }
        console().say("%s in %s", Count.of(all, "row"), target);
        rows.forEach((name, count) -> console().say("  %s: %s (%.1f %%)", name, Count.of(count, "row"),
                100.0 * count / all));
    }
}
