package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.data.clean.FileSplit;
import io.peft4j.data.clean.SplitRule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j data split}: cuts data into parts for training, validation and test. */
@Command(name = "split", sortOptions = false, description = {"Splits data into train.jsonl, validation.jsonl and "
        + "test.jsonl (two ratios: train and test; --folds: fold-1.jsonl ...) and split.json, which says how.",
    "Every valid row is in exactly one part; invalid rows are listed in split.json. A folder with another split is "
            + "refused."})
final class DataSplitCommand extends PeftCommand {
    @Parameters(paramLabel = "FILE", description = "The data: JSON Lines, JSON, CSV or TSV, compressed or not.")
    private Path data;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder for the parts.")
    private Path output;

    @Mixin
    private ExistingOptions existing;

    @Option(names = "--ratios", split = ",", paramLabel = "X", defaultValue = "0.8,0.1,0.1",
            description = "Sizes of the parts. Default: ${DEFAULT-VALUE}")
    private List<Double> ratios;

    @Option(names = "--folds", paramLabel = "K", description = "K parts of equal size instead.")
    private Integer folds;

    @Mixin
    private SeedOption seed;

    @Option(names = "--group", paramLabel = "near|fact|none|FIELD", defaultValue = "near", description = "What is kept "
            + "together: rows that ask the same in the same words, so that none leaks (near), also all wordings of a "
            + "question and questions with one answer (fact), nothing, or rows with the same value of a field. "
            + "Default: ${DEFAULT-VALUE}")
    private String group;

    @Option(names = "--stratify", paramLabel = "FIELD", description = "Distributes the values of a field evenly "
            + "over the parts; label for classes.")
    private String stratify;

    @Option(names = "--time", paramLabel = "FIELD", description = "The earliest rows by this field into the first "
            + "part.")
    private String time;

    @Option(names = "--hash", description = "Splits by a hash of the question, so that test items stay in the test "
            + "part when data is added.")
    private boolean hash;

    @Mixin
    private DataInput input;

    @Option(names = "--json", description = "Prints the content of split.json.")
    private boolean json;

    @Override
    public Integer call() {
        if (folds != null && isGiven("--ratios")) {
            throw usage("--folds and --ratios are mutually exclusive");
        }
        if (time != null && hash) {
            throw usage("--time and --hash are mutually exclusive");
        }
        FileSplit split = new FileSplit(fromOptions(this::rule));
        Path folder = existing.policy().choose(output, place -> Files.exists(place.resolve(FileSplit.DESCRIPTION)));
        ObjectNode result;
        try (DataProgress progress = new DataProgress(console())) {
            result = split.listener(progress::to).run(input.file(data), folder);
        }
        long rejected = result.get("rejected").asLong();
        if (rejected > 0) {
            console().say("left out as invalid: %d of %s; split.json lists them", rejected,
                    Count.of(result.get("rows").asLong(), "row"));
        }
        if (json) {
            console().print(result);
            return 0;
        }
        result.get("parts").fields().forEachRemaining(part -> console().out().printf("%s: %s (%.1f %%)%n",
                folder.resolve(part.getValue().get("file").asText()),
                Count.of(part.getValue().get("rows").asLong(), "row"),
                100 * part.getValue().get("share").asDouble()));
        console().checkOut();
        return 0;
    }

    private SplitRule rule() {
        SplitRule rule = (folds != null ? SplitRule.folds(folds)
                : SplitRule.ratios(ratios.stream().mapToDouble(Double::doubleValue).toArray())).seed(seed.value());
        rule = switch (group) {
            case "near" -> rule;
            case "fact" -> rule.groupedByFact();
            case "none" -> rule.ungrouped();
            default -> rule.groupedBy(group);
        };
        rule = stratify == null ? rule : rule.stratifiedBy(stratify);
        rule = time == null ? rule : rule.byTime(time);
        return hash ? rule.byHash() : rule;
    }
}
