package io.peft4j.data.report;

import io.peft4j.core.Internal;
import io.peft4j.data.clean.PiiDetector;
import io.peft4j.data.near.Corpus;
import io.peft4j.data.near.Examples;
import io.peft4j.data.near.Overlap;
import io.peft4j.data.near.Relations;
import io.peft4j.data.report.FindingCode.Severity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
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
        new RelationFindings(related, relations, asked, overlap, all, excerpts).add();
        if (all.isWhole()) {
            outliers.forEach(one -> addOutliers(one, examples));
            addSingleUse(examples);
            addImbalance(examples);
        }
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
        } else if (file == 0 && all.examples(file) < FEWEST && all.isWhole()) {
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
        if (count >= FEWEST_FOR_TOPICS && !words.isEmpty() && all.statistics().labels().isEmpty()) {
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

    /** Findings on examples that repeat or contradict each other, within a file and between files. */
    private static final class RelationFindings {
        private static final int LISTED = 10;

        private final Corpus corpus;
        private final Relations relations;
        private final CheckPart all;
        private final List<String> files;
        private final FindingList findings;
        private final Excerpts excerpts;
        private final Corpus asked;
        private final Overlap overlap;

        /**
         * Findings.
         *
         * @param asked the corpus of questions that the overlap is of
         * @param overlap what later files share with earlier ones
         */
        RelationFindings(Corpus corpus, Relations relations, Corpus asked, Overlap overlap, CheckPart all,
                Excerpts excerpts) {
            this.all = all;
            this.corpus = corpus;
            this.relations = relations;
            this.files = all.files();
            this.findings = all.findings();
            this.excerpts = excerpts;
            this.asked = asked;
            this.overlap = overlap;
        }

        void add() {
            for (int[] group : relations.equal().several()) {
                repeated(FindingCode.DUPLICATE, group, "are the same example");
            }
            for (int[] group : relations.near().several()) {
                int[] different = different(group);
                if (!areWordings(different)) {
                    repeated(FindingCode.NEAR_DUPLICATE, different, "are nearly the same");
                }
            }
            contradictions();
            overlap.matches().stream().filter(Overlap.Match::leaked).forEach(this::leaked);
            reworded();
        }

        /** Of equal examples in a file the first. */
        private int[] different(int... group) {
            Set<Long> seen = new HashSet<>();
            return Arrays.stream(group).filter(i -> seen.add((long) corpus.file(i) << Integer.SIZE
                    | relations.equal().find(i))).toArray();
        }

        /** Whether rows have one answer, and are generated but for one: they are meant to be several. */
        private boolean areWordings(int... group) {
            long written = Arrays.stream(group).filter(i -> !all.isGenerated(corpus.file(i), corpus.line(i))).count();
            return written <= 1 && Arrays.stream(group).mapToObj(corpus::answer).distinct().count() == 1;
        }

        private void repeated(FindingCode code, int[] group, String what) {
            byFile(group).forEach((file, members) -> {
                if (members.size() > 1) {
                    List<Long> lines = members.stream().map(corpus::line).toList();
                    findings.add(FindingList.finding(code, files.get(file), lines, "lines " + list(lines) + " " + what),
                            () -> excerpts.of(members, corpus));
                }
            });
        }

        /** The members of a group by file. */
        private Map<Integer, List<Integer>> byFile(int... group) {
            return Arrays.stream(group).boxed().collect(Collectors.groupingBy(corpus::file, LinkedHashMap::new,
                    Collectors.toList()));
        }

        private static String list(List<Long> lines) {
            String shown = lines.stream().limit(LISTED).map(String::valueOf).collect(Collectors.joining(", "));
            return lines.size() <= LISTED ? shown : shown + " and " + (lines.size() - LISTED) + " others";
        }

        /** One finding for each question that is answered in contradicting ways, in a file. */
        private void contradictions() {
            Map<String, List<Relations.Contradiction>> groups = new LinkedHashMap<>();
            for (Relations.Contradiction found : relations.contradictions()) {
                String key = relations.questions().find(found.first()) + " " + found.kind();
                groups.computeIfAbsent(key, k -> new ArrayList<>()).add(found);
            }
            for (List<Relations.Contradiction> group : groups.values()) {
                Relations.Contradiction first = group.get(0);
                TreeSet<Integer> members = new TreeSet<>();
                group.forEach(found -> members.addAll(List.of(found.first(), found.second())));
                String message = "to the same question line " + corpus.line(first.first()) + " answers with "
                        + kind(first) + excerpts.without(first.firstHas(), corpus.answer(first.first())) + ", "
                        + place(first) + " with " + excerpts.without(first.secondHas(), corpus.answer(first.second()));
                int file = corpus.file(first.first());
                List<Integer> here = members.stream().filter(i -> corpus.file(i) == file).toList();
                findings.add(
                        FindingList.finding(FindingCode.CONTRADICTION, files.get(file), here.stream().map(corpus::line)
                                .toList(), message),
                        () -> excerpts.of(here, corpus));
            }
        }

        private static String kind(Relations.Contradiction found) {
            return found.kind().equals("negation") ? "" : "the " + found.kind() + " ";
        }

        private String place(Relations.Contradiction found) {
            int file = corpus.file(found.second());
            return (file == corpus.file(found.first()) ? "" : files.get(file) + " ") + "line "
                    + corpus.line(found.second());
        }

        private void leaked(Overlap.Match match) {
            int taught = match.taught().get(0);
            List<Long> lines = match.taught().stream().map(asked::line).distinct().toList();
            findings.add(FindingList.finding(FindingCode.LEAKAGE, files.get(asked.file(match.number())),
                    List.of(asked.line(match.number())),
                    "is asked in the same words in " + files.get(asked.file(taught))
                            + ", line " + list(lines)),
                    () -> excerpts.of(List.of(match.number()), asked));
        }

        /** One finding for each file. */
        private void reworded() {
            Map<Integer, List<Integer>> byFile = overlap.matches().stream().filter(match -> !match.leaked())
                    .map(Overlap.Match::number).collect(Collectors.groupingBy(asked::file, TreeMap::new,
                            Collectors.toList()));
            byFile.forEach((file, members) -> findings.add(FindingList.finding(FindingCode.REWORDED, files.get(file),
                    members.stream().map(asked::line).toList(), members.size() + (members.size() == 1 ? " row asks"
                            : " rows ask") + " in other words for what " + files.get(0) + " teaches"),
                    () -> excerpts.of(members, asked)));
        }
    }
}
