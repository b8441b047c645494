package io.peft4j.data.near;

import io.peft4j.core.Internal;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.DataException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.data.format.DataFaults;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.task.RowKind;
import io.peft4j.data.task.Statement;
import java.io.Serializable;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Holds what rows say against each other, whatever their kind: several answers to one input, labels of one meaning in
 * two spellings, and labels that all similar rows speak against. Keeps some 60 bytes a row, 500 of the
 * first ones with a label.
 */
@Internal(shared = true)
public final class LabelCheck implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final int LISTED = 10;
    private static final String UNKNOWN = "unknown_label";
    private static final int MOST_LABELS = 1000;
    /** Longer texts are answers in words. */
    private static final int LONGEST_LABEL = 60;
    /** Open answers are labels where each is given so often on average. */
    private static final int USES_OF_ANSWERS = 4;
    /** A label that may be a slip is at most in so many rows, and the meant one in so many times more. */
    private static final int RARE = 10;
    private static final int RARER = 4;
    /** More different answers may be short facts. */
    private static final int FEW_CLASSES = 20;

    private final TreeMap<String, Slot> slots = new TreeMap<>();
    private final TreeMap<String, ArrayList<Formed>> forms = new TreeMap<>();

    /**
     * Something that is wrong.
     *
     * @param code a code of {@code peft4j data check}
     * @param error whether it is certain: it is never meant
     * @param file the number of the file that the lines are of
     * @param lines the lines
     * @param message what is wrong
     */
    public record Fault(String code, boolean error, int file, List<Long> lines, String message) {
        /** With its lines. */
        public String sentence() {
            return (lines.size() == 1 ? "line " : "lines ") + lines.stream().limit(LISTED).map(String::valueOf)
                    .collect(Collectors.joining(", ")) + ": " + message;
        }
    }

    record Place(int file, long line) implements Serializable {
    }

    /** Whether a row keeps to a form, and else what is wrong. */
    private record Formed(Place place, String broken) implements Serializable {
    }

    /** @param features of a text with one label what {@link LabelPredictions} compares, of others nothing */
    record Said(long input, long words, long right, int[] features, Place place) implements Serializable {
    }

    private static final class Slot implements Serializable {
        private static final long serialVersionUID = 1L;

        private final ArrayList<Said> rows = new ArrayList<>();
        private final LinkedHashMap<String, ArrayList<Place>> labels = new LinkedHashMap<>();
        private final HashMap<Long, String> texts = new HashMap<>();
        /** Options of one row, which are different ones. */
        private final HashSet<List<String>> together = new HashSet<>();
        private boolean open;
        private boolean inWords;

        void add(Statement.Label said, Place place) {
            String right = String.join(", ", said.right());
            open |= said.open();
            inWords |= said.open() && (right.length() > LONGEST_LABEL || labels.size() > MOST_LABELS);
            if (inWords) {
                rows.clear();
                labels.clear();
                return;
            }
            long context = Hashing.of(said.context());
            long label = Hashing.of(folded(right));
            String words = folded(said.input().replaceAll("[^\\p{L}\\p{M}\\p{N}]+", " "));
            boolean single = rows.size() < LabelPredictions.MOST_ROWS && said.right().size() == 1
                    && said.options().containsAll(said.right());
            rows.add(new Said(Hashing.and(context, ExactKey.collapsed(said.input())), Hashing.and(context,
                    Hashing.of(words)), label, single ? LabelPredictions.features(context, words) : new int[0], place));
            if (texts.size() < MOST_LABELS) {
                texts.putIfAbsent(label, right.strip().substring(0, Math.min(LONGEST_LABEL, right.strip().length())));
            }
            said.options().stream().filter(one -> labels.size() < MOST_LABELS || labels.containsKey(one))
                    .forEach(one -> labels.computeIfAbsent(one, l -> new ArrayList<>()).add(place));
            if (said.options().size() > 1 && together.size() < MOST_LABELS) {
                together.add(said.options());
            }
        }

        void append(Slot next) {
            open |= next.open;
            inWords |= next.inWords;
            rows.addAll(next.rows);
            next.labels.forEach((label, uses) -> labels.computeIfAbsent(label, l -> new ArrayList<>()).addAll(uses));
            next.texts.forEach(texts::putIfAbsent);
            together.addAll(next.together);
        }

        /** Whether these are labels, not answers in words. */
        boolean isLabelled() {
            return !inWords && (!open || labels.size() * USES_OF_ANSWERS <= rows.size());
        }

        boolean areOptions(String one, String other) {
            return together.stream().anyMatch(options -> options.contains(one) && options.contains(other));
        }

        /** The most frequent spelling of each label, and others that differ in spaces and case alone. */
        Map<String, List<String>> spellings() {
            Map<String, List<String>> spellings = new LinkedHashMap<>();
            labels.keySet().stream().sorted(Comparator.comparing(label -> -labels.get(label).size()))
                    .collect(Collectors.groupingBy(LabelCheck::folded, LinkedHashMap::new, Collectors.toList()))
                    .values().forEach(group -> spellings.put(group.get(0), group.stream().skip(1).filter(
                            label -> !areOptions(label, group.get(0)) && (label.strip().length() > 2
                                    || tidy(label).equals(tidy(group.get(0)))))
                            .toList()));
            return spellings;
        }

        /** The rows that say different things of one input, but for case and punctuation. */
        List<List<Said>> differing() {
            List<Said> sorted = rows.stream().sorted(Comparator.comparingLong(Said::words)).toList();
            Set<Long> keys = IntStream.range(1, sorted.size())
                    .filter(i -> sorted.get(i).words == sorted.get(i - 1).words
                            && sorted.get(i).right != sorted.get(i - 1).right)
                    .mapToObj(i -> sorted.get(i).words)
                    .collect(Collectors.toSet());
            return List.copyOf(rows.stream().filter(row -> keys.contains(row.words)).collect(Collectors.groupingBy(
                    Said::words, LinkedHashMap::new, Collectors.toList())).values());
        }

        static boolean areDifferent(List<Said> rows) {
            return rows.stream().anyMatch(row -> row.right != rows.get(0).right);
        }
    }

    /** The same rows of a file, whose statements are taken as they are read; instead of these. */
    public OpenRows taking(int file, RowKind<?> kind, OpenRows rows) {
        return rows.telling(row -> {
            try {
                add(file, row.line(), kind.statements(row));
            } catch (DataException e) {
                // Whoever reads the rows says so.
            }
        });
    }

    /** Takes what the next row says. */
    public void add(int file, long line, List<Statement> statements) {
        Place place = new Place(file, line);
        for (Statement statement : statements) {
            if (statement instanceof Statement.Label label) {
                slots.computeIfAbsent(label.slot(), s -> new Slot()).add(label, place);
            } else if (statement instanceof Statement.Form form) {
                forms.computeIfAbsent(form.rule(), r -> new ArrayList<>()).add(new Formed(place,
                        form.broken().orElse("")));
            }
        }
    }

    /** Takes what the rows that follow say. */
    public void append(LabelCheck next) {
        next.slots.forEach((name, slot) -> slots.computeIfAbsent(name, s -> new Slot()).append(slot));
        next.forms.forEach((name, rows) -> forms.computeIfAbsent(name, r -> new ArrayList<>()).addAll(rows));
    }

    /** How many labels are the answers of conversations, short ones again and again, 0 if not; empty without such. */
    public Optional<Integer> classes() {
        return slots.values().stream().filter(slot -> slot.open).findFirst()
                .map(slot -> slot.isLabelled() ? slot.spellings().size() : 0);
    }

    /** Says so where {@link #classes} are few enough not to be facts. */
    public Optional<String> ofClasses() {
        return classes().filter(count -> count > 1 && count <= FEW_CLASSES)
                .map(count -> "holds " + count + " short answers again and again");
    }

    /** For each label that differs from a more frequent one in spaces and case alone, that one. */
    public Map<String, String> spellings() {
        Map<String, String> meant = new HashMap<>();
        slots.values().stream().filter(slot -> !slot.open).forEach(slot -> slot.spellings()
                .forEach((label, others) -> others.forEach(other -> meant.put(other, label))));
        return meant;
    }

    /**
     * What is wrong.
     *
     * @param files the names of the files by their numbers; what is trained on is the first
     * @param shown makes a label fit to be shown
     */
    public List<Fault> faults(List<String> files, UnaryOperator<String> shown) {
        List<Fault> faults = new ArrayList<>();
        slots.forEach((name, slot) -> {
            if (slot.isLabelled()) {
                new Report(name, slot, files, shown, faults).add();
            }
        });
        forms.values().forEach(rows -> {
            List<Formed> broken = rows.stream().filter(row -> !row.broken.isEmpty()).toList();
            if (2 * broken.size() < rows.size()) {
                broken.forEach(row -> faults.add(new Fault("invalid_row", false, row.place.file, List.of(
                        row.place.line), shown.apply(row.broken))));
            }
        });
        return faults;
    }

    /**
     * Refuses what is certainly wrong.
     *
     * @return what may be wrong, as sentences
     * @throws DataException with all of it, and file and line of the first
     */
    public List<String> refuse(List<Path> files) {
        List<Fault> faults = faults(files.stream().map(Path::toString).toList(), text -> text);
        refuse(files, faults.stream().filter(Fault::error));
        return faults.stream().map(fault -> files.get(fault.file) + ", " + fault.sentence()).toList();
    }

    private static void refuse(List<Path> files, Stream<Fault> wrong) {
        DataFaults errors = new DataFaults();
        wrong.sorted(Comparator.comparing(Fault::file).thenComparing(fault -> fault.lines.get(0)))
                .forEach(fault -> errors.collect(() -> {
                    throw new DataException(files.get(fault.file), fault.lines.get(0), fault.message);
                }));
        errors.throwAny();
    }

    /**
     * Refuses labels that no training row has, which a model with the labels of the training rows cannot give.
     *
     * @throws DataException with all of them, and file and line of the first
     */
    public void refuseUnknown(List<Path> files) {
        refuse(files, faults(files.stream().map(Path::toString).toList(), text -> text).stream().filter(
                fault -> fault.code.equals(UNKNOWN)));
    }

    private static String tidy(String label) {
        return Normalizer.normalize(label, Normalizer.Form.NFC).replaceAll("[\\s\\p{Z}]+", " ").strip();
    }

    private static String folded(String label) {
        return tidy(label).toLowerCase(Locale.ROOT);
    }

    /**
     * Whether one label may be a slip of the pen for another. Numbers, codes, a prefix such as {@code un} and a word
     * more make another label.
     */
    static boolean isNear(String label, String other) {
        String[] some = label.toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{M}\\p{N}]+");
        String[] others = other.toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{M}\\p{N}]+");
        boolean code = label.equals(label.toUpperCase(Locale.ROOT));
        return String.join("", some).equals(String.join("", others)) || some.length == others.length
                && IntStream.range(0, some.length).allMatch(i -> some[i].equals(others[i])
                        || isSlip(some[i], others[i], code));
    }

    private static boolean isSlip(String word, String other, boolean code) {
        int shorter = Math.min(word.length(), other.length());
        if (shorter < 3 || word.charAt(0) != other.charAt(0) || (word + other).matches(".*\\p{N}.*")
                || TypoRules.play(word, other)) {
            return false;
        }
        boolean sameLetters = Arrays.equals(word.chars().sorted().toArray(), other.chars().sorted().toArray());
        int distance = SimilarNames.distance(word, other);
        return distance == 1 && (word.length() != other.length() || sameLetters && shorter > 3
                || shorter >= (code ? 7 : 5)) || distance == 2 && shorter >= 9;
    }

    /** What is wrong with the labels of a slot. */
    private record Report(String name, Slot slot, List<String> files, UnaryOperator<String> shown,
            List<Fault> faults) {
        void add() {
            List<List<Said>> differing = slot.differing();
            differing.forEach(this::contradictions);
            Set<Long> contradicted = differing.stream().map(group -> group.get(0).words).collect(Collectors.toSet());
            new LabelPredictions(slot.rows.stream().filter(row -> row.features.length > 0
                    && !contradicted.contains(row.words)).toList()).each(this::outlier);
            Map<String, List<String>> spellings = slot.spellings();
            spellings.forEach((label, others) -> others.forEach(other -> fault("label_spelling",
                    tidy(other).equals(tidy(label)), slot.labels.get(other), used(other) + " is " + used(label)
                            + " in other " + (tidy(other).equals(tidy(label)) ? "spaces" : "letters"))));
            boolean trained = slot.labels.values().stream().anyMatch(uses -> uses.get(0).file == 0);
            spellings.keySet().forEach(label -> {
                List<Place> uses = slot.labels.get(label);
                boolean unknown = trained && uses.get(0).file > 0 && !slot.open;
                Optional<String> meant = spellings.keySet().stream().filter(other -> !other.equals(label)
                        && isMeant(slot.labels.get(other), uses.size(), unknown) && isNear(label, other)
                        && !slot.areOptions(label, other)).findFirst();
                if (unknown || meant.isPresent()) {
                    fault(unknown ? UNKNOWN : "label_typo", false, uses, used(label) + (unknown
                            ? " is that of no training row" : "") + meant
                                    .map(other -> ": did you mean " + used(other)
                                            .replaceFirst("^the label ", "") + "?")
                                    .orElse(""));
                }
            });
        }

        private static boolean isMeant(List<Place> other, int rare, boolean unknown) {
            return unknown ? other.get(0).file == 0 : rare <= Math.max(2, Math.min(RARE, other.size() / 20))
                    && rare * RARER <= other.size();
        }

        private String used(String label) {
            return "the label '" + shown.apply(label) + "' (" + Count.of(slot.labels.get(label).size(), "row") + ")";
        }

        private void fault(String code, boolean error, List<Place> uses, String message) {
            int file = uses.get(0).file;
            faults.add(new Fault(code, error, file, uses.stream().filter(place -> place.file == file)
                    .map(Place::line).distinct().toList(), message));
        }

        /** Of rows that differ in case and punctuation at most those of one input; else all, who may mean it. */
        private void contradictions(List<Said> rows) {
            List<List<Said>> equal = rows.stream().collect(Collectors.groupingBy(Said::input, LinkedHashMap::new,
                    Collectors.toList())).values().stream().filter(Slot::areDifferent).toList();
            // Measured numbers, unlike classes, may differ.
            boolean classes = rows.stream().noneMatch(row -> slot.texts.getOrDefault(row.right, "")
                    .matches("-?\\d+\\.\\d*[1-9]\\d*"));
            equal.forEach(some -> contradiction(some, classes, "the same input has the " + name));
            if (equal.isEmpty()) {
                contradiction(rows, false, "the same input but for case and punctuation has the " + name);
            }
        }

        private void outlier(Said row, List<Said> others) {
            String label = text(row);
            String probable = text(others.get(0));
            if (!isNear(label, probable)) {
                fault("label_outlier", false, List.of(row.place),
                        "has the " + name + " '" + label + "', unlike similar "
                                + "rows: did you mean '" + probable + "', as in " + places(others) + "?");
            }
        }

        private String text(Said row) {
            return shown.apply(slot.texts.getOrDefault(row.right, "..."));
        }

        private String places(List<Said> rows) {
            return rows.stream().limit(LISTED).map(Said::place).map(place -> (place.file == 0 ? ""
                    : files.get(place.file) + " ") + "line " + place.line).distinct().collect(Collectors.joining(", "));
        }

        private void contradiction(List<Said> rows, boolean error, String what) {
            fault("contradiction", error, rows.stream().map(Said::place).toList(), what + rows.stream().collect(
                    Collectors.groupingBy(Said::right, LinkedHashMap::new, Collectors.toList())).entrySet().stream()
                    .map(one -> " '" + text(one.getValue().get(0)) + "' in " + places(one.getValue()))
                    .collect(Collectors.joining(" and")));
        }
    }
}
