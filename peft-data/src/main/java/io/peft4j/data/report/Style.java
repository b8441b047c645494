package io.peft4j.data.report;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Finds answers unlike the others in form. A trait that nearly all answers have, or nearly none, is the style of the
 * set; answers that break with it are outliers.
 */
final class Style implements Serializable {
    private static final long serialVersionUID = 1L;

    /** A form that answers may have. */
    private record Trait(String title, Pattern pattern) {
    }

    private static final List<Trait> TRAITS = List.of(
            new Trait("begins with a greeting or a cheer", Pattern.compile("(?i)^\\W*(?:hi|hello|hey|dear|greetings|"
                    + "sure|certainly|of course|absolutely|great question|good question|happy to "
                    + "help|hallo|gerne)\\b")),
            new Trait("ends with an offer or a closing", Pattern.compile("(?i)(?:let me know[^.!?]*|hope (?:this|that) "
                    + "helps[^.!?]*|anything else[^.!?]*|feel free to[^.!?]*|(?:best|kind) regards.*|cheers|have a "
                    + "(?:great|nice)[^.!?]*)[.!?]*\\s*$")),
            new Trait("ends with punctuation", Pattern.compile("[.!?:;)\\]}\"'\u201d`\u3002\u2026]\\s*$")),
            new Trait("speaks in the first person", Pattern.compile("\\bI(?:'m|'d|'ve|'ll)?\\b|\\bIch\\b|\\bich\\b")),
            new Trait("is written in capital letters", Pattern.compile("^[^\\p{Ll}]*\\p{Lu}[^\\p{Ll}]{8,}$",
                    Pattern.DOTALL)),
            new Trait("holds emoji", Pattern.compile("[\\x{1F300}-\\x{1FAFF}\\x{2600}-\\x{27BF}]")),
            new Trait("holds exclamation marks", Pattern.compile("!")),
            new Trait("is formatted with Markdown", Pattern.compile("(?m)^(?:#{1,6} |[-*] |\\d+\\. )|\\*\\*")),
            new Trait("begins with a small letter", Pattern.compile("^\\s*\\p{Ll}")));
    private static final int FEWEST_ROWS = 20;
    /** Some of the patterns take time that grows with the square of the length. */
    private static final int SHOWN = 1000;
    private static final double RARE = 0.05;
    /** Deviations from the median length, on a logarithmic scale: 4 is one in 16,000 where lengths are log-normal. */
    private static final double LONG_WAY = 4;
    private static final double LEAST_SPREAD = 0.35;

    private int[] traits = new int[1024];
    private int[] words = new int[1024];
    private int[] rows = new int[1024];
    private int size;

    /** The traits of an answer as bits. Of a long one its beginning and end count, where the tone is. */
    static int traits(String answer) {
        String text = answer.length() <= 2 * SHOWN ? answer : answer.substring(0, SHOWN) + "\n"
                + answer.substring(answer.length() - SHOWN);
        int bits = 0;
        for (int i = 0; i < TRAITS.size(); i++) {
            bits |= TRAITS.get(i).pattern().matcher(text).find() ? 1 << i : 0;
        }
        return bits;
    }

    void add(int row, int bits, int wordCount) {
        if (size == rows.length) {
            traits = Arrays.copyOf(traits, 2 * size);
            words = Arrays.copyOf(words, 2 * size);
            rows = Arrays.copyOf(rows, 2 * size);
        }
        traits[size] = bits;
        words[size] = wordCount;
        rows[size++] = row;
    }

    /**
     * Adds the answers that another one has.
     *
     * @param offset is added to their rows
     */
    void append(Style next, int offset) {
        for (int i = 0; i < next.size; i++) {
            add(next.rows[i] + offset, next.traits[i], next.words[i]);
        }
    }

    /**
     * Rows that stand out.
     *
     * @param message what they have in common
     * @param rows the rows as they were added
     */
    record Outliers(String message, List<Integer> rows) {
    }

    List<Outliers> outliers() {
        List<Outliers> found = new ArrayList<>();
        if (size < FEWEST_ROWS) {
            return found;
        }
        for (int t = 0; t < TRAITS.size(); t++) {
            int bit = 1 << t;
            long with = Arrays.stream(traits, 0, size).filter(bits -> (bits & bit) != 0).count();
            boolean rare = with > 0 && with <= RARE * size;
            boolean usual = with < size && with >= (1 - RARE) * size;
            if (rare || usual) {
                List<Integer> out = new ArrayList<>();
                for (int i = 0; i < size; i++) {
                    if ((traits[i] & bit) != 0 == rare) {
                        out.add(rows[i]);
                    }
                }
                found.add(new Outliers(String.format(java.util.Locale.ROOT, "the answer %s%s, unlike %.1f %% of "
                        + "the set",
                        rare ? "" : "does not do what most do: it ", TRAITS.get(t).title(),
                        100.0 * (rare ? size - with : with) / size).replace("it ends with", "end with")
                        .replace("it begins with", "begin with"), out));
            }
        }
        found.addAll(lengths());
        return found;
    }

    private List<Outliers> lengths() {
        double[] logs = new double[size];
        for (int i = 0; i < size; i++) {
            logs[i] = Math.log(1 + words[i]);
        }
        double median = median(logs.clone());
        double[] deviations = Arrays.stream(logs).map(x -> Math.abs(x - median)).toArray();
        double spread = Math.max(LEAST_SPREAD, 1.4826 * median(deviations));
        List<Integer> brief = new ArrayList<>();
        List<Integer> lengthy = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            if (Math.abs(logs[i] - median) > LONG_WAY * spread) {
                (logs[i] < median ? brief : lengthy).add(rows[i]);
            }
        }
        List<Outliers> found = new ArrayList<>();
        long typical = Math.round(Math.exp(median) - 1);
        if (!brief.isEmpty()) {
            found.add(new Outliers("the answer is far shorter than the usual " + typical + " words", brief));
        }
        if (!lengthy.isEmpty()) {
            found.add(new Outliers("the answer is far longer than the usual " + typical + " words", lengthy));
        }
        return found;
    }

    private static double median(double... values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }
}
