package io.peft4j.cli;

import com.mitchtalmadge.asciidata.graph.ASCIIGraph;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.runs.TrainingPage;
import java.awt.AWTError;
import java.awt.Desktop;
import java.awt.GraphicsEnvironment;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Shows what came out, for interactive use: answers as they come, curves as text, pages in the browser. JShell
 * imports its methods.
 */
@Internal
public final class Display {
    private static final int COLUMNS = 72;
    private static final int ROWS = 12;

    /** The tokens of an answer: more than programs take by default, since a reader can interrupt. */
    private static final GenerationOptions ANSWERS = GenerationOptions.defaults().withMaxNewTokens(256);

    private Display() {
    }

    /** Asks a model, greedily, and prints the answer as it comes, of at most 256 tokens. */
    public static void ask(LanguageModel model, String question) {
        ask(model, question, System.out);
    }

    static void ask(LanguageModel model, String question, PrintStream out) {
        Prompt prompt = Prompt.of(model, List.of(ChatMessage.user(question)));
        Completion answer = model.generate(List.of(prompt), ANSWERS.withListener((index, piece) -> {
            out.print(piece);
            return !out.checkError();
        })).get(0);
        out.println(answer.stopReason() == Completion.StopReason.LENGTH
                ? " [cut after " + ANSWERS.maxNewTokens() + " tokens]" : "");
    }

    /** Prints the training loss by step as a curve; each column is the mean of its steps. */
    public static void plot(TrainingResult run) {
        System.out.println(curve(run.steps().stream().mapToDouble(StepMetrics::trainLoss).toArray()));
        System.out.printf(Locale.ROOT, "training loss, steps 1 to %d%n", run.steps().size());
    }

    /** Values as lines of text; those that are no numbers are left out. */
    static String curve(double... values) {
        double[] columns = columns(Arrays.stream(values).filter(Double::isFinite).toArray());
        if (columns.length == 0) {
            return "(nothing to draw)";
        }
        return Arrays.stream(columns).distinct().count() == 1
                ? columns.length + " times " + columns[0]
                : ASCIIGraph.fromSeries(columns).withNumRows(ROWS).withTickWidth(9).withTickFormat(
                        new DecimalFormat("###0.000", DecimalFormatSymbols.getInstance(Locale.ROOT))).plot();
    }

    /** At most {@link #COLUMNS} means of neighbours. */
    private static double[] columns(double... values) {
        int count = Math.min(COLUMNS, values.length);
        double[] means = new double[count];
        for (int i = 0; i < count; i++) {
            int from = (int) ((long) i * values.length / count);
            int to = (int) ((long) (i + 1) * values.length / count);
            means[i] = Arrays.stream(values, from, to).average().orElseThrow();
        }
        return means;
    }

    /** Prints the verdict of a comparison, and opens its page in a browser if there is one. */
    public static void open(ComparisonReport report) {
        System.out.println(report.verdict());
        try {
            Path page = Files.createTempDirectory("peft4j").resolve("report.html");
            report.writeHtml(page);
            open(page);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the report's page", e);
        }
    }

    /**
     * Opens a page in a browser if there is one, else says where it lies.
     *
     * @param path a page, or the folder of a training or comparison, which has one
     * @throws ConfigurationException when there is no page
     */
    public static void open(Path path) {
        Path page = page(path);
        System.out.println((isInBrowser(page) ? "opened " : "the page is ") + page.toAbsolutePath());
    }

    private static Path page(Path path) {
        List<String> pages = List.of(TrainingPage.FILE, "report.html");
        return Files.isRegularFile(path) ? path
                : pages.stream().map(path::resolve).filter(Files::isRegularFile).findFirst()
                        .orElseThrow(() -> new ConfigurationException("there is no page to open: " + path
                                + " is neither a file nor a folder with " + String.join(" or ", pages)));
    }

    private static boolean isInBrowser(Path page) {
        try {
            if (GraphicsEnvironment.isHeadless() || !Desktop.isDesktopSupported()
                    || !Desktop.getDesktop().isSupported(Desktop.Action.BROWSE)) {
                return false;
            }
            Desktop.getDesktop().browse(page.toUri());
            return true;
        } catch (IOException | AWTError | LinkageError e) {
            // No browser, no display, or a Java without its libraries for windows: the path is as good.
            return false;
        }
    }
}
