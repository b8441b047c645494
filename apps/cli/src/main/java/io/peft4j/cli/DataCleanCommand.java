package io.peft4j.cli;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.data.clean.CleaningReport;
import io.peft4j.data.clean.CleaningStep;
import io.peft4j.data.clean.DataPipeline;
import io.peft4j.data.clean.PiiDetector;
import io.peft4j.data.clean.PiiKind;
import io.peft4j.data.clean.StepReport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j data clean}: mends data by named steps. */
@Command(name = "clean", sortOptions = false, description = {"Cleans data in named steps and reports what each did.",
    "Steps: encoding (what was UTF-8 and read as Latin-1 or Windows-1252), unicode, control, html, whitespace, "
            + "labels (spaces and case as most rows have them), empty_turns, merge_turns, duplicates (these by "
            + "default), refusals, redact, near_duplicates (last). "
            + "Invalid rows are left out and listed. A table keeps its columns, their order and the separators."})
final class DataCleanCommand extends PeftCommand {
    private static final String NEAR = "near_duplicates";

    @Parameters(paramLabel = "FILE", description = "The data: JSON Lines, JSON, CSV or TSV, compressed or not.")
    private Path data;

    @Option(names = "--output", required = true, paramLabel = "FILE", description = "The cleaned data.")
    private Path output;

    @Mixin
    private ExistingOptions existing;

    @Option(names = "--steps", split = ",", paramLabel = "STEP", description = "The steps, in order.")
    private List<String> steps = CleaningStep.STANDARD;

    @Option(names = "--redact", description = "Also replaces personal data by placeholders.")
    private boolean redact;

    @Option(names = "--national-ids", description = "With --redact also identity numbers of some countries.")
    private boolean nationalIds;

    @Option(names = "--near", description = "Also drops near duplicates.")
    private boolean near;

    @Option(names = "--drop-refusals", description = "Also drops examples whose answer is a refusal or empty of "
            + "content.")
    private boolean refusals;

    @Option(names = "--languages", split = ",", paramLabel = "CODE",
            description = "Keeps examples in these languages only: en, de, fr, es, it, pt, nl.")
    private List<String> languages = List.of();

    @Mixin
    private DataInput input;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        DataPipeline pipeline = fromOptions(this::pipeline);
        DataInput.requireOther(output, List.of(data));
        Path target = existing.choose(output);
        CleaningReport report;
        try (DataProgress progress = new DataProgress(console())) {
            report = pipeline.listener(rows -> progress.to("cleaning", rows)).run(input.file(data), target);
        }
        input.rememberFor(data, target);
        if (json.isGiven()) {
            console().print(report.toJson());
            return 0;
        }
        console().out().printf("%s, %d invalid, %d kept in %s%n", Count.of(report.rows(), "row"), report.rejectedRows(),
                report.kept(), target);
        report.rejected().stream().limit(10).forEach(row -> console().out().printf("  line %d: %s: %s%n", row.line(),
                row.code(), optionNames().in(row.message())));
        for (StepReport step : report.steps()) {
            console().out().println(step);
            step.samples().forEach(sample -> console().out().printf("  line %d: %s%s%n", sample.line(),
                    oneLine(sample.before()), sample.after().isEmpty() ? "" : " -> " + oneLine(sample.after())));
        }
        report.left().forEach(fault -> console().out().println("left for you: " + fault));
        console().checkOut();
        return 0;
    }

    private DataPipeline pipeline() {
        List<String> names = new ArrayList<>(steps);
        if (refusals) {
            names.add("refusals");
        }
        if (redact) {
            names.add("redact");
        }
        DataPipeline pipeline = DataPipeline.empty();
        if (nationalIds && !names.contains("redact")) {
            throw new ConfigurationException("--national-ids needs --redact");
        }
        for (String name : new LinkedHashSet<>(names)) {
            if (name.equals("redact") && nationalIds) {
                pipeline.then(CleaningStep.redact(PiiDetector.of(EnumSet.allOf(PiiKind.class))));
            } else if (!name.equals(NEAR)) {
                pipeline.then(CleaningStep.named(name));
            }
        }
        if (!languages.isEmpty()) {
            pipeline.then(CleaningStep.languages(new LinkedHashSet<>(languages)));
        }
        if (names.contains(NEAR) && !names.get(names.size() - 1).equals(NEAR)) {
            throw new ConfigurationException(NEAR + " must be the last step");
        }
        return near || names.contains(NEAR) ? pipeline.dropNearDuplicates() : pipeline;
    }

    private static String oneLine(String text) {
        return text.replace("\n", "\\n").replace("\r", "\\r");
    }
}
