package io.peft4j.data.report;

import io.peft4j.data.ChatEncoder;
import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.report.DataReport.DataStatistics;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Counts over all rows of a data set; its memory does not grow with them but for four bytes each. */
final class StatisticsCollector implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final int BINS = 40;
    private static final int MOST_LABELS = 1000;
    private static final int MOST_WORDS = 200_000;
    private static final int SHOWN = 20;

    private final TreeMap<String, Long> roles = new TreeMap<>();
    private final TreeMap<Integer, Long> turns = new TreeMap<>();
    private final LinkedHashMap<String, Long> labels = new LinkedHashMap<>();
    private final LinkedHashMap<String, Long> topics = new LinkedHashMap<>();
    private final Histogram tokenLengths = new Histogram();
    private final Histogram wordLengths = new Histogram();
    private final ArrayList<DataStatistics.Preview> previews = new ArrayList<>();
    private long supervised;

    void add(RowScan row) {
        row.roles().forEach(role -> roles.merge(role, 1L, Long::sum));
        turns.merge(row.parts().size(), 1L, Long::sum);
        Example example = row.example().orElseThrow();
        if (example instanceof ClassificationExample one) {
            count(labels, MOST_LABELS, one.label(), 1);
        }
        row.told().orElseThrow().topicWords().forEach(word -> count(topics, MOST_WORDS, word, 1));
        wordLengths.add(row.parts().stream().mapToInt(part -> RowScan.words(part.text())).sum());
        if (row.tokens() >= 0) {
            tokenLengths.add(row.tokens());
            supervised += Math.max(0, row.supervised());
        }
    }

    private static void count(Map<String, Long> counts, int most, String key, long count) {
        if (counts.size() < most || counts.containsKey(key)) {
            counts.merge(key, count, Long::sum);
        }
    }

    /**
     * Adds what another one has counted.
     *
     * @param mostPreviews as many examples are shown at most
     */
    void append(StatisticsCollector next, int mostPreviews) {
        next.roles.forEach((role, count) -> roles.merge(role, count, Long::sum));
        next.turns.forEach((number, count) -> turns.merge(number, count, Long::sum));
        next.labels.forEach((label, count) -> count(labels, MOST_LABELS, label, count));
        next.topics.forEach((word, count) -> count(topics, MOST_WORDS, word, count));
        tokenLengths.append(next.tokenLengths);
        wordLengths.append(next.wordLengths);
        next.previews.stream().limit(Math.max(0, mostPreviews - previews.size())).forEach(previews::add);
        supervised += next.supervised;
    }

    int previews() {
        return previews.size();
    }

    void preview(long line, List<ChatEncoder.Piece> pieces) {
        previews.add(new DataStatistics.Preview(line, pieces));
    }

    Map<String, Long> labels() {
        return labels;
    }

    /** How many examples have a word of topic in their question, the most frequent first. */
    Map<String, Long> topics() {
        return frequent(topics);
    }

    DataStatistics statistics(String format) {
        boolean model = tokenLengths.size() > 0;
        Histogram lengths = model ? tokenLengths : wordLengths;
        Map<String, Double> quantiles = new LinkedHashMap<>();
        quantiles.put("min", (double) lengths.quantile(0));
        quantiles.put("median", (double) lengths.quantile(0.5));
        quantiles.put("mean", lengths.size() == 0 ? 0 : (double) lengths.total() / lengths.size());
        quantiles.put("p90", (double) lengths.quantile(0.9));
        quantiles.put("p99", (double) lengths.quantile(0.99));
        quantiles.put("max", (double) lengths.quantile(1));
        int width = lengths.width(BINS);
        List<Integer> bins = new ArrayList<>();
        for (int bin : lengths.bins(width, BINS)) {
            bins.add(bin);
        }
        return new DataStatistics(format, roles, turns, frequent(labels), frequent(topics),
                model ? "tokens" : "words", quantiles, width, bins, model ? tokenLengths.total() : 0, supervised,
                List.copyOf(previews));
    }

    private static Map<String, Long> frequent(Map<String, Long> counts) {
        Map<String, Long> frequent = new LinkedHashMap<>();
        counts.entrySet().stream().sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                .thenComparing(Map.Entry.comparingByKey())).limit(SHOWN)
                .forEach(entry -> frequent.put(entry.getKey(), entry.getValue()));
        return frequent;
    }

    /** Lengths: their quantiles, and how many there are of which. */
    private static final class Histogram implements Serializable {
        private static final long serialVersionUID = 1L;

        private int[] values = new int[1024];
        private int size;
        private boolean sorted;

        void add(int value) {
            if (size == values.length) {
                values = Arrays.copyOf(values, 2 * size);
            }
            values[size++] = value;
            sorted = false;
        }

        void append(Histogram next) {
            for (int i = 0; i < next.size; i++) {
                add(next.values[i]);
            }
        }

        int size() {
            return size;
        }

        long total() {
            return Arrays.stream(values, 0, size).asLongStream().sum();
        }

        int quantile(double share) {
            if (size == 0) {
                return 0;
            }
            if (!sorted) {
                Arrays.sort(values, 0, size);
                sorted = true;
            }
            return values[Math.min(size - 1, (int) (share * size))];
        }

        /** Counts in bins of equal width from 0; the last bin takes all longer ones. */
        int[] bins(int width, int count) {
            int[] bins = new int[count];
            for (int i = 0; i < size; i++) {
                bins[Math.min(count - 1, values[i] / width)]++;
            }
            return bins;
        }

        /** A width that puts 99 of 100 values into so many bins. */
        int width(int count) {
            return Math.max(1, (quantile(0.99) + count) / count);
        }
    }
}
