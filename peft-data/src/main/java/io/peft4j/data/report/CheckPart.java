package io.peft4j.data.report;

import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.augment.Augmentation;
import io.peft4j.data.clean.CleaningStep;
import io.peft4j.data.clean.EmptyAnswers;
import io.peft4j.data.clean.PiiDetector;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.RowFault;
import io.peft4j.data.format.UnfilledRows;
import io.peft4j.data.near.LabelCheck;
import io.peft4j.data.report.FindingCode.Severity;
import io.peft4j.data.task.RowKind;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * What the rows of a part of the data say, each separately: findings, and what is counted. Parts that were looked at on
 * several machines make one, in the order of their rows.
 */
@Internal(shared = true)
public final class CheckPart implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final int MOST_NAMES = 200_000;
    private static final int MOST_PLACES = 200_000;

    private final ArrayList<String> files;
    private final int maxLength;
    private final int previews;
    private final FindingList findings;
    private final StatisticsCollector statistics = new StatisticsCollector();
    private final Style style = new Style();
    private final LabelCheck labels = new LabelCheck();
    private boolean cut;
    private final long[] rows;
    private final long[] examples;
    private final ArrayList<RepeatedIds> ids = new ArrayList<>();
    /** The pages or sheets of each file's lines. */
    private final ArrayList<HashMap<Long, String>> places = new ArrayList<>();
    /** The lines of each file that were generated. */
    private final ArrayList<HashSet<Long>> generated = new ArrayList<>();
    /** Where a name was seen first, or -1 where it was seen in several examples. */
    private final HashMap<String, Integer> names = new HashMap<>();

    /**
     * Nothing yet.
     *
     * @param files the names of all files
     * @param maxLength the longest example in tokens
     * @param previews how many examples are shown as the model sees them
     * @param mostFindings as many findings of a code and severity are listed
     */
    public CheckPart(List<String> files, int maxLength, int previews, int mostFindings) {
        this.files = new ArrayList<>(files);
        this.maxLength = maxLength;
        this.previews = previews;
        this.findings = new FindingList(mostFindings);
        this.rows = new long[files.size()];
        this.examples = new long[files.size()];
        files.forEach(file -> {
            ids.add(new RepeatedIds());
            places.add(new HashMap<>());
            generated.add(new HashSet<>());
        });
    }

    /**
     * Looks at a row, independently of others and on any thread.
     *
     * @param kind what the rows of its file are, where they have labels
     */
    public RowScan scan(ExampleReader.Item item, Optional<RowKind<?>> kind, PiiDetector detector,
            Optional<ChatEncoder> encoder) {
        return RowScan.of(item, kind, detector, encoder, maxLength);
    }

    /**
     * Takes the next row.
     *
     * @param file the number of its file
     * @param row what was seen in it
     * @param number the number of the example in this part, where it is one
     */
    public void take(int file, RowScan row, OptionalInt number, PiiDetector detector, Optional<ChatEncoder> encoder) {
        rows[file]++;
        cut |= row.faults().stream().anyMatch(RowFault::last);
        Excerpts excerpts = new Excerpts(detector);
        row.id().ifPresent(id -> ids.get(file).add(id, row.line(), () -> excerpts.of(row)));
        row.place().ifPresent(place -> addPlace(file, row.line(), place));
        findings(file, row, detector, finding -> findings.add(finding, () -> excerpts.of(row)));
        if (row.example().isEmpty()) {
            return;
        }
        examples[file]++;
        if (row.example().get().extra().containsKey(Augmentation.MARK) && generated.get(file).size() < MOST_PLACES) {
            generated.get(file).add(row.line());
        }
        labels.add(file, row.line(), row.statements());
        statistics.add(row);
        if (!(row.example().get() instanceof ClassificationExample)) {
            style.add(number.orElseThrow(), row.traits(), row.answerWords());
        }
        boolean open = UnfilledRows.unfilled(row.example().get()).isPresent();
        for (String name : open ? List.<String>of() : row.told().orElseThrow().names()) {
            if (names.size() < MOST_NAMES || names.containsKey(name)) {
                names.merge(name, number.getAsInt(), (a, b) -> -1);
            }
        }
        if (file == 0 && statistics.previews() < previews && row.tokens() >= 0 && row.supervised() >= 0) {
            preview(row.line(), CleaningStep.redact(detector).apply(row.example().get()).orElseThrow().toChat()
                    .orElseThrow(), encoder.orElseThrow());
        }
    }

    private void addPlace(int file, long line, String place) {
        if (places.get(file).size() < MOST_PLACES) {
            places.get(file).put(line, place);
        }
    }

    /** Tells what is found in a row. */
    private void findings(int file, RowScan row, PiiDetector detector, Consumer<Finding> told) {
        for (RowFault fault : row.faults()) {
            FindingCode code = FindingCode.of(fault.code()).orElse(FindingCode.INVALID_JSON);
            String place = fault.column() > 0 ? "column " + fault.column() + ": " : "";
            boolean error = fault.fatal() || code == FindingCode.UNFILLED_ROW;
            told.accept(FindingList.finding(code, error ? Severity.ERROR : Severity.WARNING, files.get(file),
                    List.of(row.line()), place + detector.redact(fault.message())));
        }
        messages(row).forEach((code, message) -> told.accept(FindingList.finding(code, files.get(file),
                List.of(row.line()), message)));
    }

    private Map<FindingCode, String> messages(RowScan row) {
        Map<FindingCode, String> messages = new LinkedHashMap<>();
        if (row.example().isEmpty()) {
            return messages;
        }
        if (!row.pii().isEmpty()) {
            messages.put(FindingCode.PII, "holds " + String.join(", ", row.pii()));
        }
        row.garbled().ifPresent(message -> messages.put(FindingCode.GARBLED_TEXT, message));
        row.refusal().ifPresent(words -> messages.put(FindingCode.REFUSAL, "the answer gives nothing: \""
                + EmptyAnswers.shortened(words) + "\""));
        row.encoding().ifPresent(problem -> messages.put(FindingCode.TEMPLATE_REJECTED, problem));
        boolean pair = row.example().get() instanceof PreferenceExample;
        if (row.tokens() > maxLength) {
            messages.put(FindingCode.TOO_LONG, "has " + row.tokens() + " tokens; the limit is " + maxLength
                    + (pair ? ", where the answer is cut" : ""));
        }
        if (pair && ((PreferenceExample) row.example().get()).hasEqualAnswers()) {
            messages.put(FindingCode.EQUAL_ANSWERS, "has the same text for both answers");
        }
        if (row.tokens() >= 0 && row.supervised() == 0) {
            messages.put(FindingCode.NO_SUPERVISED_TOKENS, "none of its " + row.tokens() + " tokens is learned");
        }
        return messages;
    }

    private void preview(long line, ChatExample example, ChatEncoder encoder) {
        try {
            statistics.preview(line, encoder.pieces(example));
        } catch (DataException e) {
            statistics.preview(line, List.of(new ChatEncoder.Piece(e.problem(), false)));
        }
    }

    /**
     * Adds the part that follows.
     *
     * @param offset the number of examples before it
     */
    public void append(CheckPart next, int offset) {
        for (int file = 0; file < rows.length; file++) {
            rows[file] += next.rows[file];
            examples[file] += next.examples[file];
            ids.get(file).append(next.ids.get(file));
            int number = file;
            generated.get(file).addAll(next.generated.get(file));
            next.places.get(file).forEach((line, place) -> addPlace(number, line, place));
        }
        cut |= next.cut;
        findings.append(next.findings);
        statistics.append(next.statistics, previews);
        style.append(next.style, offset);
        labels.append(next.labels);
        next.names.forEach((name, number) -> {
            if (names.size() < MOST_NAMES || names.containsKey(name)) {
                names.merge(name, number < 0 ? -1 : number + offset, (a, b) -> -1);
            }
        });
    }

    /** Whether all rows were read: a part says nothing of the size and the style of the whole. */
    boolean isWhole() {
        return !cut;
    }

    List<String> files() {
        return files;
    }

    FindingList findings() {
        return findings;
    }

    /** The pages or sheets of a file's lines, where it has some. */
    Map<Long, String> places(String file) {
        return files.contains(file) ? places.get(files.indexOf(file)) : Map.of();
    }

    /** Whether a row was generated, as other wordings of questions are. */
    boolean isGenerated(int file, long line) {
        return generated.get(file).contains(line);
    }

    /** The identifiers of a file's rows. */
    RepeatedIds ids(int file) {
        return ids.get(file);
    }

    StatisticsCollector statistics() {
        return statistics;
    }

    LabelCheck labels() {
        return labels;
    }

    Style style() {
        return style;
    }

    Map<String, Integer> names() {
        return names;
    }

    /** The number of rows of a file. */
    public long rows(int file) {
        return rows[file];
    }

    /** The number of examples of a file. */
    public long examples(int file) {
        return examples[file];
    }
}
