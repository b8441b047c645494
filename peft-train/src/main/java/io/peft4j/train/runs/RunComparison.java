package io.peft4j.train.runs;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.LinePlot;
import io.peft4j.report.support.Numbers;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Table;
import io.peft4j.report.support.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Several trainings on one HTML page: where they ended, with the spread of those that differ in their seed alone, a
 * plot for each metric with a line for each training, and the settings that differ.
 */
public final class RunComparison {
    private static final String NONE = "-";
    private static final String EVAL_LOSS = "eval_loss";

    private final List<TrainingRecord> runs;

    /**
     * A comparison of trainings, in this order. Those of the same name get a number.
     *
     * @throws ConfigurationException when there are fewer than two
     */
    public RunComparison(List<TrainingRecord> runs) {
        if (runs.size() < 2) {
            throw new ConfigurationException("a comparison needs at least 2 trainings, got " + runs.size());
        }
        this.runs = distinct(runs);
    }

    private static List<TrainingRecord> distinct(List<TrainingRecord> runs) {
        List<TrainingRecord> all = new ArrayList<>();
        Set<String> names = new LinkedHashSet<>();
        for (TrainingRecord run : runs) {
            String name = run.name();
            for (int number = 2; !names.add(name); number++) {
                name = run.name() + " (" + number + ")";
            }
            all.add(run.named(name));
        }
        return List.copyOf(all);
    }

    /** The trainings; no two have the same name. */
    public List<TrainingRecord> runs() {
        return runs;
    }

    /**
     * The settings in which the trainings differ, with the value of each training in their order; "{@value #NONE}"
     * where nothing is set. A setting that only some trainings have, as those of another method, is among them where
     * these differ in it. Of the data and of the trained parameters the number is shown, of what else is kept as a hash
     * its beginning. Trainings that left no settings are not asked.
     */
    public Map<String, List<String>> differences() {
        List<TrainingRecord> known = runs.stream().filter(run -> !run.info().settings().isEmpty()).toList();
        Set<String> names = new LinkedHashSet<>();
        known.forEach(run -> names.addAll(run.info().settings().keySet()));
        Map<String, List<String>> differences = new LinkedHashMap<>();
        for (String name : names) {
            List<TrainingRecord> having = known.stream().filter(run -> run.info().settings().containsKey(name))
                    .toList();
            if (having.stream().map(run -> setting(run, name)).distinct().count() > 1) {
                boolean counted = having.stream().map(run -> run.info().plan().get(name)).distinct().count() == having
                        .stream().map(run -> setting(run, name)).distinct().count();
                differences.put(name, runs.stream().map(run -> shown(run, name, counted)).toList());
            }
        }
        return differences;
    }

    /** The value; what says that nothing is set is one value. */
    private static String setting(TrainingRecord run, String name) {
        String value = run.info().settings().getOrDefault(name, NONE);
        return RunTexts.isSet(value) ? value : NONE;
    }

    /** The value as people read it; {@code counted} where the numbers alone tell trainings apart. */
    private static String shown(TrainingRecord run, String name, boolean counted) {
        String value = setting(run, name);
        Long number = run.info().plan().get(name);
        if (!RunTexts.isHash(value) || number == null) {
            return RunTexts.shown(value);
        }
        return RunTexts.count(number) + (counted ? "" : " (" + RunTexts.shown(value) + ")");
    }

    /** The trainings that differ in their seed alone. */
    @Internal
    public List<SeedGroup> seedGroups() {
        return SeedGroup.among(runs);
    }

    /** The training whose validation loss is the lowest at its end, where any was measured. */
    public Optional<TrainingRecord> lowestEvalLoss() {
        return runs.stream().filter(run -> run.metric(EVAL_LOSS).isPresent())
                .min(Comparator.comparingDouble(run -> run.last(EVAL_LOSS).getAsDouble()));
    }

    /** The page as HTML. */
    public String html() {
        Page page = Page.titled(Count.of(runs.size(), "training") + " compared").add(head());
        seedGroups().forEach(group -> page.add(seeds(group)));
        page.add(values());
        Set<String> names = new LinkedHashSet<>();
        runs.forEach(run -> names.addAll(run.metrics().keySet()));
        List<String> drawn = new ArrayList<>(Metrics.reached(names));
        drawn.addAll(Metrics.course(names));
        drawn.forEach(name -> page.add(plot(name)));
        return page.add(settings()).html();
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
        String sentence = lowestEvalLoss().map(run -> "The lowest validation loss at the end is that of " + run.name()
                + ", " + RunTexts.state(run).toLowerCase(Locale.ROOT) + ": "
                + Numbers.shown(run.last(EVAL_LOSS).getAsDouble()) + ".")
                .orElse("None has a validation loss, so they say nothing about examples that were not trained on.");
        Html unlike = differences().containsKey("validation") && lowestEvalLoss().isPresent()
                ? Blocks.points(Status.BAD, "To be looked at", List.of("Not all were measured on the same validation "
                        + "data, so their validation losses cannot be compared."))
                : Html.all();
        return Blocks.banner(Status.PLAIN, Count.of(runs.size(), "training"), sentence, unlike);
    }

    private static Html seeds(SeedGroup group) {
        Table table = Table.of("at the end", "mean", "standard deviation", "lowest", "highest");
        group.spreads().forEach((name, spread) -> table.row(Metrics.title(name).toLowerCase(Locale.ROOT),
                Numbers.shown(spread.mean()), Numbers.shown(spread.deviation()), Numbers.shown(spread.min()),
                Numbers.shown(spread.max())));
        return Blocks.card("Over " + Count.of(group.runs().size(), "seed"), table.html(), Blocks.note(
                "These differ in nothing but their seed: " + String.join(", ", group.names()) + "."));
    }

    private Html values() {
        Set<String> names = new LinkedHashSet<>();
        runs.forEach(run -> names.addAll(run.metrics().keySet()));
        List<String> reached = Metrics.reached(names);
        List<String> header = new ArrayList<>(List.of("training", "state", "steps"));
        reached.forEach(name -> header.add(Metrics.title(name).toLowerCase(Locale.ROOT)));
        header.addAll(List.of("lowest validation loss", "tokens a second", "time", "peak memory"));
        Table table = Table.of(header);
        for (int i = 0; i < runs.size(); i++) {
            TrainingRecord run = runs.get(i);
            List<Object> row = new ArrayList<>(List.of(Html.all(LinePlot.key(i), run.name()),
                    Blocks.toned(RunTexts.tone(run), RunTexts.state(run).toLowerCase(Locale.ROOT)),
                    RunTexts.steps(run)));
            reached.forEach(name -> row.add(run.metric(name).map(series -> Numbers.shown(series.last()))
                    .orElse(NONE)));
            row.add(run.metric(EVAL_LOSS).map(series -> Numbers.shown(series.values()[series.lowest()]))
                    .orElse(NONE));
            row.add(run.tokensPerSecond().isPresent() ? Numbers.shown(run.tokensPerSecond().getAsDouble()) : NONE);
            row.add(run.info().seconds().isPresent() ? RunTexts.time(run.info().seconds().getAsDouble()) : NONE);
            row.add(run.info().peakResidentBytes().isPresent()
                    ? RunTexts.memory(run.info().peakResidentBytes().getAsLong()) : NONE);
            table.row(row.toArray());
        }
        return Blocks.card("Where they ended", table.html(), Blocks.note("The last value of each metric."));
    }

    private Html settings() {
        Map<String, List<String>> differences = differences();
        List<String> silent = runs.stream().filter(run -> run.info().settings().isEmpty()).map(TrainingRecord::name)
                .toList();
        Html note = silent.isEmpty() ? Html.all()
                : Blocks.note("The settings of these are not known: " + String.join(", ", silent) + ".");
        if (differences.isEmpty()) {
            return Blocks.card("Settings", Html.tag("p", "No setting differs."), note);
        }
        Table table = Table.of("setting", "values").texts(1);
        differences.forEach((name, values) -> table.row(name, values.stream().distinct()
                .map(value -> value(value, IntStream.range(0, runs.size())
                        .filter(i -> values.get(i).equals(value)).boxed().toList()))
                .toList()));
        return Blocks.card("Settings that differ", table.html(), note);
    }

    /** A value and the trainings that have it: many trainings have few values. */
    private Html value(String value, List<Integer> numbers) {
        LinePlot.Legend who = new LinePlot.Legend();
        numbers.forEach(i -> who.line(i, runs.get(i).name()));
        return Html.all(Html.tag("b", value), who.html());
    }

    private Html plot(String metric) {
        LinePlot plot = LinePlot.of(Metrics.title(metric), "step");
        for (int i = 0; i < runs.size(); i++) {
            int number = i;
            runs.get(i).metric(metric).ifPresent(series -> plot.line(number, runs.get(number).name(), series.places(),
                    series.values()));
        }
        return Blocks.card(Metrics.title(metric), plot.html());
    }
}
