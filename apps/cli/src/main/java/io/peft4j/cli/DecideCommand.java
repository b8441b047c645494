package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.decision.DecisionAnswer;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.decision.DecisionResult;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.decision.PythonJson;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.TableColumns;
import io.peft4j.data.near.LabelCheck;
import io.peft4j.data.task.DecisionRow;
import io.peft4j.data.task.DecisionRows;
import io.peft4j.data.task.RowKind;
import io.peft4j.eval.head.NextLabels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j decide}: answers typed questions with probabilities. */
@Command(name = "decide", sortOptions = false, description = {"Answers typed questions about texts with probabilities "
        + "of their options; no text is generated.",
    "Rows of the data are {\"state\", \"questions\": {NAME: {\"type\": \"choice|score|noul\", \"instructions\", "
            + "\"criteria\"}}}, or {\"text\"} for an adapter that was trained on texts with labels. The model is one "
            + "with option markers, such as a Laya checkpoint, an embedder, or any chat model."})
final class DecideCommand extends PeftCommand {
    /** Rows at a time: answers come early. */
    private static final int ROWS = 32;

    @Mixin
    private AdaptedModelOptions model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The rows: JSON Lines or Parquet.")
    private Path data;

    @Mixin
    private DataInput input;

    @Option(names = "--rotations", paramLabel = "N", defaultValue = "1", description = "Averages choices over N "
            + "orders of their options. Default: ${DEFAULT-VALUE}")
    private int rotations;

    @Option(names = "--max-error", paramLabel = "X", description = "Leaves questions to a person where answers are "
            + "not certain enough for at most this share to be wrong; one of the errors of peft4j calibrate.")
    private Double maxError;

    @Option(names = "--sets", paramLabel = "X", description = "Also prints for each question the options that hold the "
            + "right one in this share of cases: 0.8, 0.9 or 0.95, as peft4j calibrate fitted them.")
    private Double sets;

    @Option(names = "--to-label", paramLabel = "N",
            description = "Prints, in place of all answers, the N rows to label "
                    + "next: near the threshold of --max-error, else near a guess, and unlike each other.")
    private Integer toLabel;

    @Option(names = "--labelled", paramLabel = "FILE", description = "Rows that are labelled already, which those to "
            + "label are unlike, too.")
    private Path labelled;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        requireWith("--to-label", List.of("--labelled"));
        return model.forDecisions().with(console(), this::decide);
    }

    private int decide(LanguageModel loaded) {
        DecisionModel decisions = fromOptions(() -> {
            DecisionModel rotating = new DecisionModel(loaded).withRotations(rotations);
            return maxError == null ? rotating : rotating.refusingBeyond(maxError);
        });
        List<DecisionRequest> requests = requests(data, decisions.settings());
        List<DecisionResult> all = new ArrayList<>();
        for (int from = 0; from < requests.size(); from += ROWS) {
            List<DecisionRequest> some = requests.subList(from, Math.min(requests.size(), from + ROWS));
            for (DecisionResult result : results(decisions, some, from)) {
                if (toLabel == null) {
                    print(result, decisions.settings().calibration());
                } else {
                    all.add(result);
                }
            }
        }
        if (toLabel != null) {
            printNext(decisions.settings(), requests, all);
        }
        return 0;
    }

    /** The rows of a file; what they say of right answers is not asked for, but wrong labels are told of. */
    private List<DecisionRequest> requests(Path file, DecisionSettings settings) {
        LabelCheck labels = new LabelCheck();
        try (OpenRows rows = OpenRows.open(input.file(file, TableColumns.TEXTS))) {
            List<DecisionRequest> requests = DecisionRows.requests(rows.first().flatMap(RowKind::labelled)
                    .map(kind -> labels.taking(0, kind, rows)).orElse(rows), settings.plainQuestion());
            labels.faults(List.of(file.toString()), text -> text)
                    .forEach(fault -> console().say("warning: %s, %s", file,
                            fault.sentence()));
            return requests;
        }
    }

    private void printNext(DecisionSettings settings, List<DecisionRequest> requests, List<DecisionResult> results) {
        List<String> known = labelled == null ? List.of() : texts(requests(labelled, settings));
        List<NextLabels> next = fromOptions(() -> NextLabels.of(results, texts(requests), known, settings.calibration(),
                maxError == null ? OptionalDouble.empty() : OptionalDouble.of(maxError), toLabel));
        for (NextLabels each : next) {
            DecisionResult result = results.get(each.row());
            if (json.isGiven()) {
                ObjectNode line = new DecisionRow(requests.get(each.row()), Map.of()).toJson();
                line.remove("gold");
                line.setAll(result.toJson());
                console().print(line.put("row", each.row() + 1).put("distance", each.distance()));
            } else {
                console().printMarkdown("- **row " + (each.row() + 1) + "**, " + each.question() + ": "
                        + words(result.answers().get(each.question())));
            }
        }
    }

    private static List<String> texts(List<DecisionRequest> rows) {
        return rows.stream().map(row -> PythonJson.text(row.state())).toList();
    }

    /** A row that does not fit the model is named. */
    private static List<DecisionResult> results(DecisionModel decisions, List<DecisionRequest> some, int from) {
        try {
            return decisions.decide(some);
        } catch (ConfigurationException together) {
            for (int i = 0; i < some.size(); i++) {
                try {
                    decisions.decide(some.get(i));
                } catch (ConfigurationException e) {
                    throw new ConfigurationException("row " + (from + i + 1) + ": " + e.getMessage(), e);
                }
            }
            throw together;
        }
    }

    private List<String> set(DecisionAnswer answer, DecisionCalibration fitted) {
        return sets == null ? List.of() : fitted.set(answer, sets);
    }

    private void print(DecisionResult result, DecisionCalibration fitted) {
        if (json.isGiven()) {
            ObjectNode line = result.toJson();
            result.answers().forEach((name, answer) -> set(answer, fitted).forEach(option -> line
                    .withObject("/answers").withObject("/" + name.replace("~", "~0").replace("/", "~1"))
                    .withArray("/set").add(option)));
            console().print(line);
            return;
        }
        result.answers().forEach((name, answer) -> console().printMarkdown("- **" + name + "**: " + words(answer)
                + (sets == null ? "" : ", one of " + set(answer, fitted))));
    }

    private static String words(DecisionAnswer answer) {
        DecisionQuestion question = answer.question();
        String all = IntStream.range(0, question.options().size())
                .mapToObj(i -> question.options().get(i).name() + " " + share(answer.probabilities().get(i)))
                .collect(Collectors.joining(", "));
        return (answer.refused() ? "left to a person" : answer.choice()) + " (" + all + ")";
    }

    private static String share(double p) {
        return String.format(Locale.ROOT, "%.3f", p);
    }
}
