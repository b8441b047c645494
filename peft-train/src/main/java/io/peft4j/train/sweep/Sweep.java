package io.peft4j.train.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.FolderLock;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.LinePlot;
import io.peft4j.report.support.Numbers;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Status;
import io.peft4j.report.support.Table;
import io.peft4j.train.runs.TrainingRecord;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains adapters with different options and finds the one with the lowest loss on validation data.
 *
 * <pre>{@code
 * SweepResult result = Sweep.of(base, LoraConfig.builder().build(), SearchSpace.read(Path.of("space.json")))
 *         .data(examples).trainer(model -> Trainer.builder(model).epochs(4)).trials(16).run(Path.of("sweep"));
 * PeftModel best = base.withAdapter(result.folder(result.best().orElseThrow()));
 * }</pre>
 *
 * <p>Each trial has an ordinary output folder below that of the sweep. Where they can, trials run {@linkplain
 * io.peft4j.train.SideBySideTrainer side by side} on the base, which is loaded once. A sweep that was stopped or killed
 * resumes with {@link SweepBuilder#resume}: what is finished stays, what had begun resumes from its last checkpoint or
 * starts over.
 */
public final class Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(Sweep.class);
    private static final int DEFAULT_TRIALS = 20;
    /** Choices until one is new; the second half of them by chance. */
    private static final int ATTEMPTS = 50;
    private static final long SPREAD = 7919;

    private final SweepBuilder options;
    private final Path output;
    private final TrialRunner runner;

    Sweep(SweepBuilder options, Path output) {
        this.options = options;
        this.output = output;
        this.runner = new TrialRunner(options, output);
    }

    /**
     * A sweep over adapters of a base.
     *
     * @param config the adapter's configuration, as far as the space does not change it
     * @param space what is tried
     */
    public static SweepBuilder of(BaseLanguageModel base, PeftConfig config, SearchSpace space) {
        return new SweepBuilder(base, config, space);
    }

    SweepResult run() {
        runner.check();
        int count = count();
        boolean there = SweepFile.isThere(output);
        if (there != options.resume) {
            throw new ConfigurationException(there
                    ? output + " holds a sweep already; resume it, or give another folder"
                    : "there is no sweep in " + output + " to resume");
        }
        try {
            Files.createDirectories(output);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make " + output + ": " + e.getMessage(), e);
        }
        try (FolderLock lock = FolderLock.take(output)) {
            SweepFile file = there ? SweepFile.resume(output, settings(count))
                    : SweepFile.begin(output, settings(count));
            file.put(List.of());
            if (options.halvingRate > 0) {
                halve(file, count);
            } else {
                search(file, count);
            }
            SweepResult result = new SweepResult(file.trials(), output);
            new SweepPage(result).write();
            return result;
        }
    }

    private int count() {
        long most = options.strategy.most(options.space);
        boolean all = options.trials == 0 && options.strategy == SearchStrategy.GRID;
        long wanted = options.trials > 0 ? options.trials : all ? most : DEFAULT_TRIALS;
        if (wanted > most) {
            LOG.info("the space has {} combinations, so there are that many trials and not {}", most, wanted);
        }
        return Math.toIntExact(Math.min(most, wanted));
    }

    private Map<String, String> settings(int count) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("strategy", options.strategy.toString());
        settings.put("halving", String.valueOf(options.halvingRate));
        settings.put("trials", String.valueOf(count));
        settings.put("seed", String.valueOf(options.seed));
        settings.put("space", options.space.domains().toString());
        settings.putAll(runner.settings());
        return settings;
    }

    /** Trains the trials to their end, some at a time. */
    private void search(SweepFile file, int count) {
        while (!options.cancellation.isRequested()) {
            List<Trial> open = new ArrayList<>(of(file, Trial.State.OPEN));
            int room = room();
            if (open.isEmpty()) {
                open.addAll(choose(file, Math.min(room, count - file.trials().size())));
            }
            if (open.isEmpty()) {
                return;
            }
            train(open.subList(0, Math.min(room, open.size())), 1, file);
        }
    }

    private int room() {
        return options.site.map(site -> site.room(runner.sideBySide())).orElseGet(runner::sideBySide);
    }

    private void train(List<Trial> trials, double share, SweepFile file) {
        Consumer<Trial> ended = trial -> {
            file.put(List.of(trial));
            options.progress.accept(trial);
        };
        options.site.ifPresentOrElse(site -> site.train(List.copyOf(trials), share, options.cancellation, ended),
                () -> runner.run(trials, share, ended));
    }

    /** New trials; only where none is open, so that a sweep that was stopped chooses what it would have chosen. */
    private List<Trial> choose(SweepFile file, int number) {
        List<Trial> all = new ArrayList<>(file.trials());
        for (int i = 0; i < number; i++) {
            all.add(next(all));
        }
        List<Trial> chosen = List.copyOf(all.subList(file.trials().size(), all.size()));
        file.put(chosen);
        return chosen;
    }

    private Trial next(List<Trial> trials) {
        List<Trial> done = trials.stream().filter(trial -> trial.loss().isPresent()).toList();
        Map<String, JsonNode> values = Map.of();
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            SearchStrategy strategy = attempt < ATTEMPTS / 2 ? options.strategy : SearchStrategy.RANDOM;
            values = strategy.choose(options.space, trials.size(), done, options.seed + SPREAD * attempt);
            Map<String, JsonNode> chosen = values;
            if (trials.stream().noneMatch(trial -> trial.values().equals(chosen))) {
                break;
            }
        }
        return Trial.open(trials.size() + 1, values);
    }

    private static List<Trial> of(SweepFile file, Trial.State state) {
        return file.trials().stream().filter(trial -> trial.state() == state).toList();
    }

    /** Trains all a little, and the best of them on and on. */
    private void halve(SweepFile file, int count) {
        choose(file, count - file.trials().size());
        int rungs = (int) Math.floor(Math.log(count) / Math.log(options.halvingRate) + 1e-9);
        for (int rung = rungs; rung >= 0; rung--) {
            double share = Math.pow(options.halvingRate, -rung);
            while (!options.cancellation.isRequested()) {
                List<Trial> due = of(file, Trial.State.OPEN);
                if (due.isEmpty()) {
                    break;
                }
                train(due.subList(0, Math.min(room(), due.size())), share, file);
            }
            if (options.cancellation.isRequested() || rung == 0) {
                return;
            }
            List<Trial> paused = SweepResult.ranked(of(file, Trial.State.PAUSED));
            int kept = Math.max(1, paused.size() / options.halvingRate);
            // Written together: a sweep that is killed finds all of them open, or none.
            List<Trial> decided = new ArrayList<>();
            for (int i = 0; i < paused.size(); i++) {
                decided.add(paused.get(i).with(i < kept ? Trial.State.OPEN : Trial.State.DROPPED));
            }
            file.put(decided);
        }
    }

    /** The page {@value #NAME} of a sweep: the best trial, a table of all, and how they came on. */
    private static final class SweepPage {
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
            return Blocks.banner(result.best().isPresent() ? Status.GOOD : Status.PLAIN,
                    result.trials().size() + " trials",
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
                        trial.message().<Object>map(message -> Blocks.toned(Status.BAD, "failed: " + message))
                                .orElse(trial.state().name().toLowerCase(Locale.ROOT)),
                        trial.steps(), Numbers.shown(trial.seconds())));
                names.forEach(name -> row.add(trial.values().containsKey(name)
                        ? SweepResult.shown(trial.values().get(name)) : "-"));
                table.row(row.toArray());
            }
            return Blocks.card("Trials", table.html(),
                    Blocks.note("The best first. Trials that ran side by side have the "
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
                    .line(0, "so far",
                            IntStream.range(0, best.length).mapToDouble(i -> measured.get(i).number()).toArray(),
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
}
