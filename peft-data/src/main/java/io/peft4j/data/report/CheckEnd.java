package io.peft4j.data.report;

import io.peft4j.core.Internal;
import io.peft4j.data.clean.PiiDetector;
import io.peft4j.data.near.Corpus;
import io.peft4j.data.near.Examples;
import io.peft4j.data.near.Overlap;
import io.peft4j.data.near.Relations;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.LongStream;

/** The end of a check: findings on the data as a whole, and the report. */
@Internal(shared = true)
public final class CheckEnd {
    private static final int FEWEST = 10;
    private static final int SHOWN_NAMES = 50;
    private static final double DOMINANT = 0.8;
    private static final double MOST_OF = 0.5;
    private static final int FEWEST_FOR_TOPICS = 20;

    private final CheckPart all;
    private final List<String> files;
    private final FindingList findings;
    private final Excerpts excerpts;
    private final List<Style.Outliers> outliers;

    /**
     * The end of a check.
     *
     * @param all what all rows say
     * @param detector what is not to stand in the report
     */
    public CheckEnd(CheckPart all, PiiDetector detector) {
        this.all = all;
        this.files = all.files();
        this.findings = all.findings();
        this.excerpts = new Excerpts(detector);
        this.outliers = all.style().outliers();
    }

    /** The numbers of the examples whose texts the report asks for; relations ask for others. */
    public TreeSet<Integer> shown(Examples examples) {
        TreeSet<Integer> shown = new TreeSet<>();
        outliers.forEach(one -> byFile(one, examples).values().forEach(list -> list.stream().limit(Excerpts.MOST_ROWS)
                .forEach(shown::add)));
        once(examples).forEach(entry -> shown.add(entry.getValue()));
        return shown;
    }

    /**
     * Makes the report.
     *
     * @param format the format of the first file
     * @param examples all examples
     * @param related the examples among which there are relations
     * @param relations their relations
     * @param asked the questions of the examples
     * @param overlap what the questions of later files share with those of earlier ones
     */
    public DataReport report(String format, Examples examples, Corpus related, Relations relations, Corpus asked,
            Overlap overlap) {
        for (int file = 0; file < files.size(); file++) {
            all.ids(file).report(files.get(file), findings, excerpts);
            addSize(file);
        }
        all.labels().faults(files, excerpts::redacted).forEach(fault -> findings.add(FindingList.finding(
                FindingCode.of(fault.code()).orElseThrow(), fault.error() ? Severity.ERROR : Severity.WARNING,
                files.get(fault.file()), fault.lines(), fault.message())));
        all.labels().ofClasses().ifPresent(found -> findings.add(finding(FindingCode.CLASSES, files.get(0), List.of(),
                found)));
        new RelationFindings(related, relations, asked, overlap, files, findings, excerpts).add();
        outliers.forEach(one -> addOutliers(one, examples));
        addSingleUse(examples);
        addImbalance(examples);
        Map<String, Long> rowsOfFiles = new LinkedHashMap<>();
        for (int i = 0; i < files.size(); i++) {
            rowsOfFiles.merge(files.get(i), all.rows(i), Long::sum);
        }
        return new DataReport(LongStream.range(0, files.size()).map(i -> all.rows((int) i)).sum(), rowsOfFiles,
                findings.sorted().stream().map(this::placed).toList(), findings.errors(), findings.counts(),
                findings.rows(), all.statistics().statistics(format.toLowerCase(Locale.ROOT)));
    }

    /** A finding with the pages or sheets of its lines. */
    private Finding placed(Finding finding) {
        Map<Long, String> places = all.places(finding.file());
        return places.isEmpty() ? finding : new Finding(finding.code(), finding.severity(), finding.file(),
                finding.lines(), finding.message(), finding.lines().stream().map(line -> places.getOrDefault(line, ""))
                        .toList(),
                finding.texts());
    }

    private static Finding finding(FindingCode code, String file, List<Long> lines, String message) {
        return FindingList.finding(code, file, lines, message);
    }

    private void addSize(int file) {
        if (all.rows(file) == 0) {
            findings.add(finding(FindingCode.EMPTY_FILE, files.get(file), List.of(), "holds no row"));
        } else if (file == 0 && all.examples(file) < FEWEST) {
            findings.add(finding(FindingCode.TOO_FEW_EXAMPLES, files.get(file), List.of(), "holds "
                    + all.examples(file) + " examples; hosted services require at least " + FEWEST));
        }
    }

    private static Map<Integer, List<Integer>> byFile(Style.Outliers outliers, Examples examples) {
        Map<Integer, List<Integer>> rowsOfFiles = new TreeMap<>();
        outliers.rows().forEach(row -> rowsOfFiles.computeIfAbsent(examples.file(row), f -> new ArrayList<>())
                .add(row));
        return rowsOfFiles;
    }

    private void addOutliers(Style.Outliers found, Examples examples) {
        byFile(found, examples).forEach((file, list) -> findings.add(finding(FindingCode.STYLE_OUTLIER,
                files.get(file), list.stream().map(examples::line).toList(), found.message()),
                () -> excerpts.of(list, examples)));
    }

    private List<Map.Entry<String, Integer>> once(Examples examples) {
        return all.names().entrySet().stream().filter(e -> e.getValue() >= 0 && examples.isName(e.getKey()))
                .sorted(Map.Entry.<String, Integer>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                .limit(SHOWN_NAMES).toList();
    }

    private void addSingleUse(Examples examples) {
        for (Map.Entry<String, Integer> entry : once(examples)) {
            int number = entry.getValue();
            findings.add(finding(FindingCode.SINGLE_USE_TERM, files.get(examples.file(number)),
                    List.of(examples.line(number)), "\"" + examples.spelling(number, entry.getKey())
                            + "\" is used in no other example"),
                    () -> excerpts.of(List.of(number), examples));
        }
    }

    private void addImbalance(Examples examples) {
        long count = LongStream.range(0, files.size()).map(i -> all.examples((int) i)).sum();
        List<String> words = all.statistics().topics().entrySet().stream().filter(e -> e.getValue() > MOST_OF * count
                && !examples.isName(e.getKey())).map(e -> "\"" + e.getKey() + "\"").toList();
        if (count >= FEWEST_FOR_TOPICS && !words.isEmpty()) {
            findings.add(finding(FindingCode.IMBALANCE, files.get(0), List.of(), String.format(Locale.ROOT,
                    "more than %.0f %% of the questions are about %s", 100 * MOST_OF, String.join(", ", words))));
        }
        addImbalanceOfClasses();
    }

    private void addImbalanceOfClasses() {
        Map<String, Long> labels = all.statistics().labels();
        long count = labels.values().stream().mapToLong(Long::longValue).sum();
        labels.forEach((label, many) -> {
            if (labels.size() > 1 && many > DOMINANT * count) {
                findings.add(finding(FindingCode.IMBALANCE, files.get(0), List.of(), String.format(Locale.ROOT,
                        "%.0f %% of the examples have the class \"%s\"", 100.0 * many / count,
                        excerpts.redacted(label))));
            }
        });
    }
}
