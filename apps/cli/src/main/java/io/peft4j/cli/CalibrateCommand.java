package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterTask;
import io.peft4j.data.DecisionData;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.TableColumns;
import io.peft4j.data.task.DecisionRow;
import io.peft4j.eval.head.CalibrationFit;
import io.peft4j.eval.head.Prediction;
import io.peft4j.models.BaseModel;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j calibrate}: fits the probabilities of decisions. */
@Command(name = "calibrate", sortOptions = false, description = {"Fits the probabilities of an adapter's decisions to "
        + "rows that are neither those of its training nor of its test, and stores temperatures, biases and thresholds "
        + "in the adapter's decision.json.",
    "Rows are those of train --objective decision. For each question the simplest of none, temperature, bias, vector "
            + "scaling and, from 1,000 rows on, isotonic regression is taken that no other beats on rows it was not "
            + "fitted on."})
final class CalibrateCommand extends PeftCommand {
    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    private String model;

    @Option(names = "--adapter", required = true, paramLabel = "DIR", description = "The adapter.")
    private Path adapter;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "Rows that were kept apart.")
    private Path data;

    @Mixin
    private DataInput input;

    @Option(names = "--error", paramLabel = "X", split = ",", description = "Further shares of wrong answers that "
            + "thresholds are made for, beside 0.01, 0.02, 0.05 and 0.1; decide --max-error takes them.")
    private List<Double> errors = List.of();

    @Mixin
    private SeedOption seed;

    @Mixin
    private JsonOption json;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() {
        if (!errors.stream().allMatch(error -> error > 0 && error < 1)) {
            throw usage("--error is " + errors + "; each must be between 0 and 1, such as 0.03 for 3 %");
        }
        Optional<Task> task = AdapterTask.read(adapter);
        try (BaseModel base = engine.loadFor(model, adapter, console(), task);
                PeftModel tuned = base.withAdapter(adapter)) {
            List<DecisionRow> rows;
            try (OpenRows file = OpenRows.open(input.file(data, TableColumns.TEXTS))) {
                rows = DecisionData.rows(file, tuned.decisions().plainQuestion());
            }
            CalibrationFit fit = CalibrationFit.of(tuned.decisions(), Prediction.of(tuned, rows), seed.value(), errors);
            fit.settings().write(adapter);
            if (json.isGiven()) {
                console().print(line(fit));
            } else {
                fit.entries().forEach((name, entry) -> say(fit, name, entry));
            }
        }
        return 0;
    }

    private void say(CalibrationFit fit, String name, DecisionCalibration.Entry entry) {
        console().print(String.format(Locale.ROOT, "%s: %s, cross-entropy %.4f -> %.4f on %d rows (%s)", name,
                entry.method(), fit.before().get(name), fit.after().get(name), entry.rows(), entry.reason()));
        entry.thresholds().forEach(threshold -> console().print(threshold.coverage() == 0
                ? "  at most " + percent(threshold.error())
                        + " % wrong: no answer is certain enough; more rows can show "
                        + "it"
                : String.format(Locale.ROOT, "  at most %s %% wrong: from probability %.3f on, %.0f %% of answers "
                        + "[%.0f, %.0f]", percent(threshold.error()), threshold.probability(),
                        100 * threshold.coverage(), 100 * threshold.low(), 100 * threshold.high())));
    }

    private static String percent(double share) {
        return BigDecimal.valueOf(share).movePointRight(2).stripTrailingZeros().toPlainString();
    }

    private static ObjectNode line(CalibrationFit fit) {
        ObjectNode line = CommandJson.MAPPER.createObjectNode();
        fit.entries().forEach((name, entry) -> line.withObject("/questions").set(name,
                CommandJson.MAPPER.<ObjectNode>valueToTree(entry).put("nll_before", fit.before().get(name))
                        .put("nll", fit.after().get(name))));
        line.set("temperature", CommandJson.MAPPER.valueToTree(fit.settings().temperature()));
        return line;
    }
}
