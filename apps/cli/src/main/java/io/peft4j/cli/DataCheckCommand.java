package io.peft4j.cli;

import io.peft4j.core.error.Count;
import io.peft4j.core.task.TokenTagger;
import io.peft4j.data.clean.PiiDetector;
import io.peft4j.data.clean.PiiKind;
import io.peft4j.data.report.DataCheck;
import io.peft4j.data.report.DataReport;
import io.peft4j.data.report.Finding;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.models.BaseModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j data check}: what is wrong with data before anything is trained on it. */
@Command(name = "check", sortOptions = false, description = {"Finds problems in data before training: invalid rows, "
        + "duplicates, contradictions, leakage into the validation data, personal data, refusals, "
        + "style, and with --model examples that are too long or have nothing to learn.",
    "Exit status 1 if there are errors; warnings do not count."})
final class DataCheckCommand extends PeftCommand {
    private static final int SHOWN = 10;
    private static final int SHOWN_LINES = 8;
    private static final int SHOWN_TEXTS = 2;

    @Parameters(paramLabel = "FILE", description = "The data: JSON Lines, JSON, CSV or TSV, compressed or not.")
    private Path data;

    @Option(names = {"--validation", "--test"}, paramLabel = "FILE", description = "Held-out data, checked for "
            + "leakage into the data. May be given several times.")
    private List<Path> validation = List.of();

    @Option(names = "--model", paramLabel = "ID|DIR|FILE.gguf",
            description = "Model whose tokenizer and chat template are used for counting.")
    private String model;

    @Option(names = "--max-length", paramLabel = "N", description = "The longest example in tokens. Default: the "
            + "model's limit")
    private Integer maxLength;

    @Mixin
    private DataInput input;

    @Option(names = "--national-ids", description = "Also looks for identity numbers of some countries.")
    private boolean nationalIds;

    @Option(names = "--names", paramLabel = "ID|DIR", description = "Also looks for names and addresses of people, by "
            + "a model that labels tokens, such as openai/privacy-filter.")
    private String names;

    @Option(names = "--max-findings", paramLabel = "N", defaultValue = "1000",
            description = "Findings listed per code and severity; all are counted. Default: ${DEFAULT-VALUE}")
    private int maxFindings;

    @Option(names = "--report", paramLabel = "FILE.html", description = "Also writes the report as a page with plots.")
    private Path page;

    @Mixin
    private LearnedOptions learned;

    @Mixin
    private EngineOptions engine;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        if (maxLength != null && (model == null || maxLength < 1)) {
            throw usage(model == null ? "--max-length counts tokens and needs --model"
                    : "--max-length is " + maxLength + "; it must be at least 1");
        }
        DataInput.requirePlace(page, data);
        if (page != null) {
            DataInput.requireOther(page, validation);
        }
        DataCheck check = fromOptions(() -> DataCheck.of(input.file(data)).mostFindings(maxFindings));
        validation.forEach(file -> check.validation(input.file(file, EvaluationData.COLUMNS)));
        PiiDetector detector = nationalIds ? PiiDetector.of(EnumSet.allOf(PiiKind.class)) : PiiDetector.standard();
        Console console = console();
        DataReport report;
        try (BaseModel tagger = names == null ? null : engine.load(names, console);
                DataProgress progress = new DataProgress(console)) {
            check.pii(tagger == null ? detector : detector.with(names(new TokenTagger(tagger))));
            report = run(check.listener(progress::to), console);
        }
        if (page != null) {
            boolean replaced = Files.exists(page);
            report.writeHtml(page);
            console.say("The report is in %s%s", page, replaced ? ", in place of the former one" : "");
        }
        if (json.isGiven()) {
            console.print(report.toJson());
        } else {
            print(report, console);
        }
        return report.hasErrors() ? 1 : 0;
    }

    private static Function<String, List<PiiDetector.PiiMatch>> names(TokenTagger tagger) {
        return text -> tagger.places(text).stream().filter(place -> kind(place.type()).isPresent())
                .map(place -> new PiiDetector.PiiMatch(kind(place.type()).get(), place.start(), place.end())).toList();
    }

    /** What a label means, such as {@code private_person} or {@code PER}. */
    private static Optional<PiiKind> kind(String type) {
        String label = type.toLowerCase(Locale.ROOT);
        return label.matches("per|name|(private_)?person") ? Optional.of(PiiKind.NAME)
                : label.matches("((private|postal|street)_)?address") ? Optional.of(PiiKind.ADDRESS)
                        : Optional.empty();
    }

    private DataReport run(DataCheck check, Console console) {
        if (model == null) {
            return check.run();
        }
        try (BaseModel base = engine.load(model, console)) {
            int limit = maxLength == null ? base.network().description().maxPositions() : maxLength;
            return check.model(learned.encoder(base), limit).run();
        }
    }

    private void print(DataReport report, Console console) {
        console.out().println(Count.of(report.rows(), "row"));
        List<Finding> folded = report.folded();
        new TreeMap<>(report.counts()).forEach((code, count) -> {
            long rows = report.findingRows().get(code);
            console.out().printf("%n%s: %d%s. %s%n  what to do: %s%n", code.code(), count, rows == 0 ? ""
                    : " (" + Count.of(rows, "row") + ")", code.why(), optionNames().advice(code));
            List<Finding> all = folded.stream().filter(finding -> finding.code() == code).toList();
            all.stream().limit(SHOWN).forEach(finding -> print(finding, console));
            long listed = report.findings().stream().filter(finding -> finding.code() == code).count();
            long more = Math.max(0, all.size() - SHOWN) + count - listed;
            if (more > 0) {
                console.out().printf("  ... %d more%s%n", more, page == null ? "; --report FILE.html lists them" : "");
            }
        });
        console.checkOut();
    }

    /** What was found, and below it the text there. */
    private void print(Finding finding, Console console) {
        String lines = finding.where(SHOWN_LINES);
        int more = finding.lines().size() - SHOWN_LINES;
        console.out().println("  " + finding.severity().code() + " " + finding.file() + (lines.isEmpty() ? "" : ":"
                + lines) + (more > 0 ? " and " + more + " more" : "") + ": " + optionNames().in(finding.message()));
        int shown = 0;
        for (int i = 0; i < finding.texts().size() && shown < SHOWN_TEXTS; i++) {
            if (!finding.texts().get(i).isEmpty()) {
                String line = finding.lines().size() > 1 ? finding.lines().get(i) + ": " : "";
                console.out().println("      " + line + finding.texts().get(i).replace("\n", " | "));
                shown++;
            }
        }
    }
}
