package io.peft4j.train.sweep;

import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.LinePlot;
import io.peft4j.report.support.Numbers;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Table;
import io.peft4j.report.support.Tone;
import io.peft4j.train.runs.TrainingRecord;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** The page {@value #NAME} of a sweep: the best trial, a table of all, and how they came on. */
final class SweepPage {
    static final String NAME = "sweep.html";
    /** More lines cannot be told apart. */
    private static final int DRAWN = 12;

    private final SweepResult result;
    private final List<Trial> ranked;

    SweepPage(SweepResult result) {
        this.result = result;
        this.ranked = SweepResult.ranked(result.trials());
    }

    /**
     * Writes the page.
     *
     * @throws UncheckedIOException when the file cannot be written
     */
    void write() {
        AtomicFiles.writeString(result.folder().resolve(NAME), html());
    }

    String html() {
        Page page = Page.titled("A sweep of " + result.trials().size() + " trials").add(head(), table());
        if (result.trials().stream().filter(trial -> trial.loss().isPresent()).count() > 1) {
            page.add(found());
        }
        for (String metric : List.of("eval_loss", "train_loss")) {
            page.add(course(metric));
        }
        return page.html();
    }

    private Html head() {
        String sentence = result.best().map(best -> "The lowest loss on the validation data, "
                + Numbers.shown(best.loss().getAsDouble()) + ", is that of " + best.name() + ".")
                .orElse("No trial has finished.");
        return Blocks.banner(result.best().isPresent() ? Tone.GOOD : Tone.PLAIN, result.trials().size() + " trials",
                sentence, result.best().map(best -> {
                    Map<String, String> values = new LinkedHashMap<>();
                    best.values().forEach((name, value) -> values.put(name, SweepResult.shown(value)));
                    return Blocks.facts(values);
                }).orElse(Html.all()));
    }

    private Html table() {
        Set<String> names = new LinkedHashSet<>();
        result.trials().forEach(trial -> names.addAll(trial.values().keySet()));
        List<String> header = new ArrayList<>(List.of("trial", "validation loss", "state", "steps", "seconds"));
        header.addAll(names);
        Table table = Table.of(header);
        for (int i = 0; i < ranked.size(); i++) {
            Trial trial = ranked.get(i);
            List<Object> row = new ArrayList<>(List.of(i < DRAWN ? Html.all(LinePlot.key(i), trial.name())
                    : trial.name(), trial.loss().isPresent() ? Numbers.shown(trial.loss().getAsDouble()) : "-",
                    trial.message().<Object>map(message -> Blocks.toned(Tone.BAD, "failed: " + message))
                            .orElse(trial.state().name().toLowerCase(Locale.ROOT)),
                    trial.steps(), Numbers.shown(trial.seconds())));
            names.forEach(name -> row.add(trial.values().containsKey(name)
                    ? SweepResult.shown(trial.values().get(name)) : "-"));
            table.row(row.toArray());
        }
        return Blocks.card("Trials", table.html(), Blocks.note("The best first. Trials that ran side by side have the "
                + "time of all together."));
    }

    /** The best loss so far, trial by trial. */
    private Html found() {
        List<Trial> measured = result.trials().stream().filter(trial -> trial.loss().isPresent()).toList();
        double[] best = new double[measured.size()];
        for (int i = 0; i < best.length; i++) {
            double loss = measured.get(i).loss().getAsDouble();
            best[i] = i == 0 ? loss : Math.min(best[i - 1], loss);
        }
        return Blocks.card("Lowest validation loss so far", LinePlot.of("Lowest validation loss", "trial")
                .line(0, "so far", IntStream.range(0, best.length).mapToDouble(i -> measured.get(i).number()).toArray(),
                        best)
                .html());
    }

    private Html course(String metric) {
        String title = metric.equals("eval_loss") ? "Validation loss" : "Training loss";
        LinePlot plot = LinePlot.of(title, "step");
        for (int i = 0; i < Math.min(DRAWN, ranked.size()); i++) {
            int number = i;
            record(ranked.get(i)).flatMap(record -> record.metric(metric)).ifPresent(
                    series -> plot.line(number, ranked.get(number).name(), series.places(), series.values()));
        }
        return Blocks.card(title, plot.html());
    }

    private Optional<TrainingRecord> record(Trial trial) {
        try {
            return Optional.of(TrainingRecord.read(result.folder(trial)));
        } catch (PeftException | UncheckedIOException e) {
            // A trial that failed before its first step left nothing.
            return Optional.empty();
        }
    }
}
