package io.peft4j.data.report;

import io.peft4j.core.error.DataException;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.clean.internal.Refusals;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.format.RowFault;
import io.peft4j.data.near.internal.Corpus;
import io.peft4j.data.near.internal.Relations;
import io.peft4j.data.pii.PiiDetector;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** One check from the first row to the report: findings on single rows, and statistics over all. */
final class CheckRun {
    private static final int FEWEST = 10;
    private static final int MOST_NAMES = 200_000;
    private static final int SHOWN_NAMES = 50;
    private static final double DOMINANT = 0.8;
    private static final double MOST_OF = 0.5;
    private static final int FEWEST_FOR_TOPICS = 20;

    private final List<String> files;
    private final Optional<ChatEncoder> encoder;
    private final int maxLength;
    private final int previews;
    private final Corpus corpus;
    private final FindingList findings;
    private final Excerpts excerpts;
    private final StatisticsCollector statistics = new StatisticsCollector();
    private final Style style = new Style();
    private final long[] rows;
    private final long[] examples;
    /** Where a name was seen first, or -1 where it was seen in several examples. */
    private final Map<String, Integer> names = new HashMap<>();
    private String format = "";
    private int shown;

    CheckRun(List<Path> files, Optional<ChatEncoder> encoder, int maxLength, int previews, int mostFindings,
            Corpus corpus, PiiDetector detector) {
        this.files = files.stream().map(Path::toString).toList();
        this.encoder = encoder;
        this.maxLength = maxLength;
        this.previews = previews;
        this.corpus = corpus;
        this.findings = new FindingList(mostFindings);
        this.excerpts = new Excerpts(detector, corpus);
        this.rows = new long[files.size()];
        this.examples = new long[files.size()];
    }

    /** Takes the rows of a file. */
    Consumer<RowScan> rowsOf(int file) {
        return row -> take(file, row);
    }

    private void take(int file, RowScan row) {
        rows[file]++;
        for (RowFault fault : row.faults()) {
            FindingCode code = FindingCode.of(fault.code()).orElse(FindingCode.INVALID_JSON);
            String place = fault.column() > 0 ? "column " + fault.column() + ": " : "";
            findings.add(Finding.of(code, fault.fatal() ? Severity.ERROR : Severity.WARNING, files.get(file),
                    List.of(row.line()), place + fault.message()), () -> excerpts.of(row));
        }
        if (row.example().isEmpty()) {
            return;
        }
        examples[file]++;
        statistics.add(row);
        say(FindingCode.PII, file, row, row.pii().isEmpty() ? Optional.empty()
                : Optional.of("holds " + String.join(", ", row.pii())));
        say(FindingCode.REFUSAL, file, row, row.refusal().map(words -> "the answer gives nothing: \""
                + Refusals.shortened(words) + "\""));
        say(FindingCode.TEMPLATE_REJECTED, file, row, row.encoding());
        boolean pair = row.example().get() instanceof PreferenceExample;
        if (row.tokens() > maxLength) {
            say(FindingCode.TOO_LONG, file, row, Optional.of("has " + row.tokens() + " tokens; the limit is "
                    + maxLength + (pair ? ", where the answer is cut" : "")));
        }
        if (pair && ((PreferenceExample) row.example().get()).hasEqualAnswers()) {
            say(FindingCode.EQUAL_ANSWERS, file, row, Optional.of("has the same text as the better and the worse "
                    + "answer"));
        }
        if (row.tokens() >= 0 && row.supervised() == 0) {
            say(FindingCode.NO_SUPERVISED_TOKENS, file, row, Optional.of("none of its " + row.tokens()
                    + " tokens is learned"));
        }
        int number = corpus.add(file, row.line(), row.features().orElseThrow());
        style.add(number, row.traits(), row.answerWords());
        for (String name : row.features().get().names()) {
            if (names.size() < MOST_NAMES || names.containsKey(name)) {
                names.merge(name, number, (a, b) -> -1);
            }
        }
        if (file == 0 && shown < previews && row.tokens() >= 0) {
            shown++;
            preview(row.line(), row.example().get().toChat().orElseThrow());
        }
    }

    private void say(FindingCode code, int file, RowScan row, Optional<String> message) {
        message.ifPresent(text -> findings.add(Finding.of(code, files.get(file), List.of(row.line()), text),
                () -> excerpts.of(row)));
    }

    private void preview(long line, ChatExample example) {
        try {
            statistics.preview(line, encoder.orElseThrow().pieces(example));
        } catch (DataException e) {
            statistics.preview(line, List.of(new ChatEncoder.Piece(e.problem(), false)));
        }
    }

    void endOfFile(int file, String formatName) {
        format = file == 0 ? formatName.toLowerCase(Locale.ROOT) : format;
        if (rows[file] == 0) {
            findings.add(Finding.of(FindingCode.EMPTY_FILE, files.get(file), List.of(), "holds no row"));
        } else if (file == 0 && examples[file] < FEWEST) {
            findings.add(Finding.of(FindingCode.TOO_FEW_EXAMPLES, files.get(file), List.of(), "holds "
                    + examples[file] + " examples; hosted services ask for at least " + FEWEST));
        }
    }

    DataReport report(Relations relations) {
        new RelationFindings(corpus, relations, files, findings, excerpts).add();
        style.outliers().forEach(this::addOutliers);
        addSingleUse();
        addImbalance();
        long all = 0;
        Map<String, Long> rowsOfFiles = new LinkedHashMap<>();
        for (int i = 0; i < rows.length; i++) {
            all += rows[i];
            rowsOfFiles.merge(files.get(i), rows[i], Long::sum);
        }
        return new DataReport(all, rowsOfFiles, findings.sorted(), findings.errors(), findings.counts(),
                findings.rows(), statistics.statistics(format));
    }

    private void addOutliers(Style.Outliers outliers) {
        Map<Integer, List<Integer>> rowsOfFiles = new TreeMap<>();
        outliers.rows().forEach(row -> rowsOfFiles.computeIfAbsent(corpus.file(row), f -> new ArrayList<>()).add(row));
        rowsOfFiles.forEach((file, list) -> findings.add(Finding.of(FindingCode.STYLE_OUTLIER, files.get(file),
                list.stream().map(corpus::line).toList(), outliers.message()), () -> excerpts.of(list)));
    }

    private void addSingleUse() {
        List<Map.Entry<String, Integer>> once = names.entrySet().stream().filter(e -> e.getValue() >= 0
                && corpus.isName(e.getKey())).sorted(Map.Entry.comparingByValue()).limit(SHOWN_NAMES).toList();
        for (Map.Entry<String, Integer> entry : once) {
            findings.add(Finding.of(FindingCode.SINGLE_USE_TERM, files.get(corpus.file(entry.getValue())),
                    List.of(corpus.line(entry.getValue())), "\"" + corpus.spelling(entry.getValue(),
                    entry.getKey()) + "\" is used in no other example"),
                    () -> excerpts.of(List.of(entry.getValue())));
        }
    }

    private void addImbalance() {
        long all = java.util.Arrays.stream(examples).sum();
        List<String> words = statistics.topics().entrySet().stream().filter(e -> e.getValue() > MOST_OF * all
                && !corpus.isName(e.getKey())).map(e -> "\"" + e.getKey() + "\"").toList();
        if (all >= FEWEST_FOR_TOPICS && !words.isEmpty()) {
            findings.add(Finding.of(FindingCode.IMBALANCE, files.get(0), List.of(), String.format(Locale.ROOT,
                    "more than %.0f %% of the questions are about %s", 100 * MOST_OF, String.join(", ", words))));
        }
        addImbalanceOfClasses();
    }

    private void addImbalanceOfClasses() {
        long all = statistics.labels().values().stream().mapToLong(Long::longValue).sum();
        statistics.labels().forEach((label, count) -> {
            if (statistics.labels().size() > 1 && count > DOMINANT * all) {
                findings.add(Finding.of(FindingCode.IMBALANCE, files.get(0), List.of(), String.format(Locale.ROOT,
                        "%.0f %% of the examples have the class \"%s\"", 100.0 * count / all, label)));
            }
        });
    }
}
