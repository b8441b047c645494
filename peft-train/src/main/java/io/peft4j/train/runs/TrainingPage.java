package io.peft4j.train.runs;

import static io.peft4j.report.support.Html.tag;

import io.peft4j.core.Internal;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.report.support.BarPlot;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.LinePlot;
import io.peft4j.report.support.Numbers;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Status;
import io.peft4j.train.objective.SampledAnswer;
import io.peft4j.train.runs.RunInfo.LearnedRows;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * One training as one HTML page that needs nothing else: how it ended, its losses and other metrics by step, what it
 * was trained on and its settings. The trainer writes it as {@value #FILE} into the output folder.
 */
public final class TrainingPage {
    /** Its name in the output folder of a training. */
    public static final String FILE = "training.html";
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss z", Locale.ROOT);

    private final TrainingRecord run;
    private List<SampledAnswer> answers = List.of();
    private long answered;

    /** The page of a training. */
    public TrainingPage(TrainingRecord run) {
        this.run = run;
    }

    /**
     * The same with answers of the model.
     *
     * @param step the update in which it gave them
     */
    @Internal
    public TrainingPage withAnswers(long step, List<SampledAnswer> latest) {
        answers = List.copyOf(latest);
        answered = step;
        return this;
    }

    /** The page as HTML. */
    public String html() {
        Page page = Page.titled(run.name() + ": " + RunTexts.state(run).toLowerCase(Locale.ROOT)).add(head());
        for (List<String> group : Metrics.reachedByQuantity(run.metrics().keySet())) {
            page.add(reached(group));
        }
        if (!answers.isEmpty()) {
            page.add(Blocks.card("Answers in step " + RunTexts.count(answered), answers.stream().map(answer -> Blocks
                    .side(Status.PLAIN, grade(answer), tag("p", answer.prompt()), tag("p", answer.answer())))
                    .toArray()));
        }
        List<String> course = Metrics.course(run.metrics().keySet());
        if (!course.isEmpty()) {
            page.add(Blocks.card("How it ran", Blocks.sides(course.stream().map(this::small).toArray())));
        }
        run.profile().ifPresent(profile -> page.add(profile(profile)));
        if (!run.info().plan().isEmpty()) {
            page.add(Blocks.card("What it was trained on", Blocks.facts(RunTexts.plan(run.info().plan()))));
        }
        if (!run.info().settings().isEmpty()) {
            page.add(settings());
        }
        return page.html();
    }

    /**
     * Writes the page.
     *
     * @throws java.io.UncheckedIOException when the file cannot be written
     */
    public void write(Path file) {
        AtomicFiles.writeString(file, html());
    }

    private Html head() {
        StringBuilder sentence = new StringBuilder(RunTexts.steps(run)).append(run.steps() == 1
                && run.totalSteps().orElse(1) == 1 ? " step" : " steps");
        run.info().seconds().ifPresent(seconds -> sentence.append(" in ").append(RunTexts.time(seconds)));
        run.metric("train_loss").ifPresent(loss -> sentence.append(", loss ").append(fromTo(loss)));
        run.metric("eval_loss").ifPresent(loss -> sentence.append(", validation loss ").append(fromTo(loss)));
        return Blocks.banner(RunTexts.tone(run), RunTexts.state(run), sentence + ".", explanation(),
                Blocks.facts(facts()));
    }

    private static String fromTo(MetricSeries series) {
        return series.values().length == 1 ? Numbers.shown(series.last())
                : Numbers.shown(series.first()) + " to " + Numbers.shown(series.last());
    }

    private static String grade(SampledAnswer answer) {
        return (Double.isNaN(answer.reward()) ? "no reward" : "reward " + Numbers.shown(answer.reward()))
                + answer.parts().entrySet().stream().map(part -> part.getKey() + " " + Numbers.shown(part.getValue()))
                        .collect(Collectors.joining(", ", answer.parts().isEmpty() ? "" : ": ", ""));
    }

    /** What a reader must not overlook. */
    private Html explanation() {
        List<String> points = new ArrayList<>();
        run.info().failure().ifPresent(points::add);
        points.addAll(run.info().warnings());
        run.info().learned().map(LearnedRows::listed).filter(rows -> !rows.isEmpty()).ifPresent(points::add);
        if (run.info().state() == RunInfo.State.INTERRUPTED) {
            points.add("Its process ended before the training did. If there is a checkpoint, it can be resumed.");
        }
        if (run.unreadable() > 0) {
            points.add("Damaged lines of " + TrainingRecord.METRICS_FILE + " that are left out: "
                    + RunTexts.count(run.unreadable()) + ".");
        }
        run.metrics().values().stream().filter(series -> series.noNumbers() > 0).forEach(series -> points.add(
                "Values of " + series.name() + " that are infinite or no numbers: "
                        + RunTexts.count(series.noNumbers()) + "."));
        return points.isEmpty() ? Html.all() : Blocks.points(Status.BAD, "To be looked at", points);
    }

    private Map<String, Object> facts() {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("folder", run.name());
        String objective = run.info().settings().getOrDefault("objective", "");
        if (!objective.isEmpty()) {
            facts.put("objective", objective);
        }
        run.info().bestStep().ifPresent(step -> facts.put("adapter", "that of step " + RunTexts.count(step)
                + ", where the validation loss was lowest"));
        run.info().learned().ifPresent(rows -> facts.put("learned rows", rows.summary()));
        run.last("epoch").ifPresent(epoch -> facts.put("epochs", Numbers.shown(epoch)));
        run.tokensPerSecond().ifPresent(speed -> facts.put("speed", Numbers.shown(speed) + " tokens a second"));
        run.info().peakResidentBytes().ifPresent(bytes -> facts.put("peak memory of the process",
                RunTexts.memory(bytes)));
        facts.put("written", TIME.format(Instant.now().atZone(ZoneId.systemDefault())));
        return facts;
    }

    private Html reached(List<String> group) {
        String quantity = group.size() > 1 ? Metrics.quantity(group.get(0)) : Metrics.title(group.get(0));
        LinePlot plot = LinePlot.of(quantity, "step");
        Html notes = Html.all();
        for (int i = 0; i < group.size(); i++) {
            MetricSeries series = run.metrics().get(group.get(i));
            plot.line(i, Metrics.data(series.name()), series.places(), series.values());
            if (series.steps().length > 0) {
                notes.add(group.size() > 1 ? Metrics.data(series.name()) + ": " : "", RunTexts.course(series),
                        tag("br"));
            }
        }
        return Blocks.card(quantity, plot.html(), Blocks.note(notes));
    }

    private Html small(String metric) {
        MetricSeries series = run.metrics().get(metric);
        return tag("div", tag("h3", Metrics.title(metric)), LinePlot.of(Metrics.title(metric), "step")
                .line(0, metric, series.places(), series.values()).html());
    }

    private static Html profile(TrainingProfile profile) {
        String heading = "Where the " + RunTexts.time(profile.total()) + " went";
        BarPlot plot = BarPlot.titled(heading);
        profile.seconds().forEach((part, seconds) -> plot.bar(part, seconds, profile.figure(part)));
        return Blocks.card(heading, plot.html(), profile.advice().isEmpty() ? Html.all()
                : Blocks.points(Status.PLAIN, "What would make it faster", profile.advice()));
    }

    private Html settings() {
        Map<String, String> shown = new LinkedHashMap<>();
        run.info().settings().forEach((name, value) -> {
            if (RunTexts.isSet(value)) {
                shown.put(name, RunTexts.shown(value));
            }
        });
        int unset = run.info().settings().size() - shown.size();
        return Blocks.card("Settings", Blocks.facts(shown), unset == 0 ? Html.all() : Blocks.note("Empty ones "
                + "are not shown: " + unset + "; all are in " + RunInfo.FILE + "."));
    }
}
