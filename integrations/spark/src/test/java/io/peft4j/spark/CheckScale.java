package io.peft4j.spark;

import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.data.report.DataReport;
import io.peft4j.data.report.FindingCode;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.spark.sql.SparkSession;

/**
 * Checks data that is larger than the heaps of all executors together, and fails where the check does not find as much
 * as was put in. Arguments: a folder for the data, its size in GB, and the heap of each of the two executors in MB, 512
 * at least. What benchmarks/results.md says was measured with it:
 *
 * <pre>
 * SPARK_HOME=target/spark-home SPARK_SCALA_VERSION=2.13 java -Xmx1g -cp ... io.peft4j.spark.CheckScale /tmp/data 3 512
 * </pre>
 *
 * <p>Rows are some 2,000 bytes. Of a thousand two have the text of another, two nearly that text, and two no answer.
 */
public final class CheckScale {
    private static final int PERIOD = 1000;
    private static final int WORDS = 6000;
    private static final int ANSWER = 1900;

    private final SplittableRandom random = new SplittableRandom(1);
    private final String[] words = new String[WORDS];
    private final Map<FindingCode, Long> planted = new LinkedHashMap<>();
    private long rows;

    private CheckScale() {
        for (int i = 0; i < words.length; i++) {
            StringBuilder word = new StringBuilder();
            for (int syllables = 2 + random.nextInt(3); syllables > 0; syllables--) {
                word.append("bcdfghklmnprstvw".charAt(random.nextInt(16))).append("aeiou".charAt(random.nextInt(5)));
            }
            words[i] = word.toString();
        }
    }

    /** Runs the program. */
    public static void main(String[] args) throws IOException {
        Path file = Files.createDirectories(Path.of(args[0])).resolve("rows.jsonl");
        System.setProperty("spark.executor.memory", args[2] + "m");
        CheckScale scale = new CheckScale();
        long begin = System.nanoTime();
        scale.write(file, (long) (Double.parseDouble(args[1]) * 1e9));
        say("written", scale.rows, begin, file);
        SparkSession spark = TestSpark.session("local-cluster[2,1," + args[2] + "]");
        begin = System.nanoTime();
        DataReport report = DataFrameCheck.of(spark).jsonLines(file.toString()).run();
        say("checked", report.rows(), begin, file);
        spark.stop();
        Files.delete(file);
        scale.compare(report);
        System.out.printf(Locale.ROOT, "driver: peak resident %,.0f MB%n",
                ProcessUsage.peakResidentBytes().orElse(0) / 1e6);
    }

    private static void say(String what, long rows, long begin, Path file) throws IOException {
        double seconds = (System.nanoTime() - begin) / 1e9;
        System.out.printf(Locale.ROOT, "%s: %,d rows, %.2f GB, in %.0f s, %,.0f rows/s%n", what, rows,
                Files.size(file) / 1e9, seconds, rows / seconds);
    }

    private void compare(DataReport report) {
        planted.forEach((code, count) -> {
            long found = report.counts().getOrDefault(code, 0L);
            System.out.printf(Locale.ROOT, "%s: %,d put in, %,d found%n", code.code(), count, found);
            if (found != count) {
                throw new IllegalStateException(code.code() + ": " + count + " were put in, " + found + " are found");
            }
        });
    }

    private void write(Path file, long bytes) throws IOException {
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            for (long written = 0; written < bytes; rows += 2) {
                String question = sentence("What does", 12, "?");
                StringBuilder answer = new StringBuilder(sentence("It says", 8, "."));
                while (answer.length() < ANSWER) {
                    answer.append(sentence(" The", 9, "."));
                }
                written += write(out, question, answer.toString()) + second(out, question, answer.toString());
            }
        }
    }

    /** A row that has to do with the one before it, at some places, and with none at all others. */
    private long second(BufferedWriter out, String question, String answer) throws IOException {
        switch ((int) (rows / 2 % (PERIOD / 2))) {
            case 100, 101 :
                planted.merge(FindingCode.DUPLICATE, 1L, Long::sum);
                return write(out, question, answer);
            case 200, 201 :
                planted.merge(FindingCode.NEAR_DUPLICATE, 1L, Long::sum);
                return write(out, "Please, " + question, answer.replaceFirst("\\. ", "! "));
            case 300, 301 :
                planted.merge(FindingCode.MISSING_CONTENT, 1L, Long::sum);
                return write(out, sentence("Who knows", 12, "?"), "");
            default :
                return write(out, sentence("Where is", 12, "?"), sentence("It is in", 250, "."));
        }
    }

    private static long write(BufferedWriter out, String question, String answer) throws IOException {
        String row = "{\"messages\": [{\"role\": \"user\", \"content\": \"" + question
                + "\"}, {\"role\": \"assistant\", \"content\": \"" + answer + "\"}]}\n";
        out.write(row);
        return row.length();
    }

    private String sentence(String begin, int length, String end) {
        StringBuilder text = new StringBuilder(begin);
        for (int i = 0; i < length; i++) {
            text.append(' ').append(words[random.nextInt(words.length)]);
        }
        return text.append(end).toString();
    }
}
