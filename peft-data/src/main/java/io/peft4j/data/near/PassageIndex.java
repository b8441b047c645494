package io.peft4j.data.near;

import io.peft4j.core.error.DataException;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.OpenRows;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Passages of a text, found by the words that they share with a question (BM25).
 *
 * <pre>{@code
 * PassageIndex handbook = PassageIndex.ofFile(Path.of("handbook.md"));
 * List<String> found = handbook.best("What is the notice period?", 2);
 * }</pre>
 */
public final class PassageIndex {
    private final List<String> texts;
    private final Bm25 index;

    private PassageIndex(List<String> texts) {
        this.texts = List.copyOf(texts);
        this.index = new Bm25(this.texts);
    }

    /** An index of texts; without any it finds none. */
    public static PassageIndex of(List<String> texts) {
        return new PassageIndex(texts);
    }

    /**
     * The paragraphs of a text file, as of a handbook in Markdown: what blank lines divide. A heading goes with the
     * paragraph below it. Of a handbook in HTML, PDF, DOCX or XLSX each section is a passage.
     *
     * @throws DataException when there is none, or the document cannot be read
     * @throws UncheckedIOException when the file cannot be read as UTF-8
     */
    public static PassageIndex ofFile(Path file) {
        List<String> passages = file.toString().toLowerCase(Locale.ROOT).matches(".*\\.(pdf|docx|xlsx|html?)")
                ? sections(file)
                : paragraphs(file);
        if (passages.isEmpty()) {
            throw new DataException(file, "holds no paragraph");
        }
        return new PassageIndex(passages);
    }

    private static List<String> sections(Path file) {
        List<String> sections = new ArrayList<>();
        try (OpenRows rows = OpenRows.open(DataFile.of(file))) {
            rows.forEach(row -> sections.add((row.fields().get("heading") + "\n" + row.fields().get("answer"))
                    .strip()));
        }
        return sections;
    }

    private static List<String> paragraphs(Path file) {
        List<String> paragraphs = new ArrayList<>();
        StringBuilder heading = new StringBuilder();
        try {
            for (String part : Files.readString(file).split("\\R\\s*\\R")) {
                String text = part.strip();
                if (text.startsWith("#") && text.lines().count() == 1) {
                    heading.append(text.replaceFirst("^#+\\s*", "")).append("\n");
                } else if (!text.isEmpty()) {
                    paragraphs.add(heading + text);
                    heading.setLength(0);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + " as text", e);
        }
        return paragraphs;
    }

    /** The passages, in their order. */
    public List<String> texts() {
        return texts;
    }

    /** The passages that match a question best, the best first: none that shares no word with it. */
    public List<String> best(String question, int most) {
        return Arrays.stream(index.best(question, most)).mapToObj(texts::get).toList();
    }

    @Override
    public String toString() {
        return texts.size() + " passages";
    }

    /**
     * Finds texts by words, as search engines do (Okapi BM25 with k1 = 1.2, b = 0.75): the score of a text is the sum
     * over the question's words of {@code idf f (k1 + 1) / (f + k1 (1 - b + b L / mean L))}, f how often the text has
     * the word, L its number of words, {@code idf = ln(1 + (n - df + 0.5) / (df + 0.5))}.
     */
    private static final class Bm25 {
        private static final double K1 = 1.2;
        private static final double B = 0.75;

        private final List<Map<String, Integer>> counts = new ArrayList<>();
        private final int[] lengths;
        private final double meanLength;
        private final Map<String, Integer> textsWith = new HashMap<>();

        Bm25(List<String> texts) {
            lengths = new int[texts.size()];
            for (int i = 0; i < lengths.length; i++) {
                Map<String, Integer> count = new HashMap<>();
                List<String> words = words(texts.get(i));
                words.forEach(word -> count.merge(word, 1, Integer::sum));
                count.keySet().forEach(word -> textsWith.merge(word, 1, Integer::sum));
                counts.add(count);
                lengths[i] = words.size();
            }
            meanLength = Math.max(1, Arrays.stream(lengths).average().orElse(1));
        }

        private static List<String> words(String text) {
            return Arrays.stream(text.toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{N}]+")).filter(w -> !w.isEmpty())
                    .toList();
        }

        /**
         * The places of the best texts, the best first; texts without any of the question's words are not among them.
         */
        int[] best(String question, int most) {
            double[] scores = new double[counts.size()];
            for (String word : words(question).stream().distinct().toList()) {
                int with = textsWith.getOrDefault(word, 0);
                double idf = Math.log(1 + (counts.size() - with + 0.5) / (with + 0.5));
                for (int i = 0; i < scores.length && with > 0; i++) {
                    double f = counts.get(i).getOrDefault(word, 0);
                    scores[i] += idf * f * (K1 + 1) / (f + K1 * (1 - B + B * lengths[i] / meanLength));
                }
            }
            return IntStream.range(0, scores.length).filter(i -> scores[i] > 0).boxed()
                    .sorted((i, j) -> Double.compare(scores[j], scores[i])).limit(most).mapToInt(Integer::intValue)
                    .toArray();
        }
    }
}
