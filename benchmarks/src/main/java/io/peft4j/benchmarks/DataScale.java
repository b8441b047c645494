package io.peft4j.benchmarks;

import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.data.clean.CleaningReport;
import io.peft4j.data.clean.DataPipeline;
import io.peft4j.data.clean.FileSplit;
import io.peft4j.data.clean.SplitRule;
import io.peft4j.data.report.DataCheck;
import io.peft4j.data.report.DataReport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/**
 * Checks, cleans and splits a large file and says how fast, for instance the rows of {@link ChatRowsMaker}:
 *
 * <pre>
 * java -Xmx640m -cp ... io.peft4j.benchmarks.ChatRowsMaker rows.jsonl 1000000 1
 * java -Xmx640m -cp ... io.peft4j.benchmarks.DataScale rows.jsonl out
 * python benchmarks/peers/data_scale.py rows.jsonl
 * </pre>
 */
public final class DataScale {
    private DataScale() {
    }

    /**
     * Runs the three.
     *
     * @param arguments file, folder for what is written
     */
    public static void main(String... arguments) {
        Path data = Path.of(arguments[0]);
        Path out = Path.of(arguments[1]);
        long begin = System.nanoTime();
        DataReport report = DataCheck.of(data).run();
        report.writeHtml(out.resolve("report.html"));
        say("read, near duplicates, report", report.rows(), begin);
        report.counts().forEach((code, count) -> System.out.println("  " + code.code() + " " + count + " findings, "
                + report.findingRows().get(code) + " rows"));
        long cleaning = System.nanoTime();
        Path clean = out.resolve("clean.jsonl");
        CleaningReport cleaned = DataPipeline.standard().run(data, clean);
        say("read, clean, exact duplicates, write", cleaned.rows(), cleaning);
        long splitting = System.nanoTime();
        new FileSplit(SplitRule.ratios(0.8, 0.1, 0.1).groupedByFact()).run(clean, out.resolve("parts"));
        say("read, group, split, write", cleaned.kept(), splitting);
        say("all", report.rows(), begin);
    }

    private static void say(String what, long rows, long begin) {
        double seconds = (System.nanoTime() - begin) / 1e9;
        double processors = ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1e3;
        System.out.printf(Locale.ROOT, "%s: %,d rows in %.1f s, %,.0f rows/s, peak resident %,.0f MB; so far %.1f s of "
                + "processors%n", what, rows, seconds, rows / seconds,
                ProcessUsage.peakResidentBytes().orElse(0) / 1e6, processors);
    }
}
