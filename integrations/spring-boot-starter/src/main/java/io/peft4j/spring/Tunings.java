package io.peft4j.spring;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatDataset.Split;
import io.peft4j.data.SplitOptions;
import io.peft4j.eval.Promotion;
import io.peft4j.eval.VerdictOptions;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.PeftAdapters;
import io.peft4j.train.Cancellation;
import io.peft4j.train.Trainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains adapters of an application while it answers, one after the other. Each is compared with what answered before
 * under its name, or else with the base, and then put into the folder of adapters, from which it answers. One whose
 * verdict is {@code do_not_ship}, since it answers worse, forgot too much or gains nothing, is not, unless forced.
 */
final class Tunings implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Tunings.class);
    private static final String NAME = "[A-Za-z0-9_-]{1,64}";
    private static final SplitOptions SPLIT = SplitOptions.ratios(0.9, 0.1);
    /** With fewer rows none is held out. */
    private static final int FEWEST_TO_SPLIT = 10;

    /**
     * A training.
     *
     * @param state waiting, running, done, rejected or failed
     * @param decision the verdict's decision, such as {@code need_more_items}; empty before there is one
     * @param message what came out, with the verdict, or why it failed
     */
    public record Tuning(String state, String decision, String message) {
        private Tuning(String state, String message) {
            this(state, "", message);
        }
    }

    /**
     * What may be done with a trained adapter.
     *
     * @param replace whether an adapter of its name may be replaced
     * @param force whether it answers whatever the verdict
     */
    public record Permissions(boolean replace, boolean force) {
    }

    private final PeftAdapters adapters;
    private final PeftProperties.Tuning options;
    private final Path folder;
    private final Map<String, Tuning> tunings = new TreeMap<>();
    private final Cancellation cancellation = new Cancellation();
    private final ExecutorService executor = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "peft4j-tuning");
        thread.setDaemon(true);
        return thread;
    });

    /**
     * Trainings with these options.
     *
     * @throws ConfigurationException when the application has no folder of adapters
     */
    public Tunings(PeftAdapters adapters, PeftProperties.Tuning options) {
        this.adapters = Objects.requireNonNull(adapters, "adapters");
        this.options = Objects.requireNonNull(options, "options");
        this.folder = adapters.folder().orElseThrow(() -> new ConfigurationException(
                "peft4j.tuning.enabled needs peft4j.adapters, the folder that adapters are saved in"));
        if (adapters.takesSignedOnly()) {
            throw new ConfigurationException("peft4j.tuning.enabled makes adapters that are not signed, and "
                    + "peft4j.trusted-key takes signed ones only; set one of them");
        }
    }

    /**
     * Begins a training.
     *
     * @param rows chats as JSON Lines
     * @param permissions what may be done with the adapter, when it is trained
     * @throws AdapterExistsException when there is one of that name that may not be replaced
     * @throws ConfigurationException when the name cannot be one of an adapter, or there are too many rows
     * @throws io.peft4j.core.error.DataException when a row is wrong
     */
    public void begin(String name, String rows, Permissions permissions) {
        if (!name.matches(NAME)) {
            throw new ConfigurationException("invalid adapter name '" + name + "': use letters, digits, '-' and '_'");
        }
        requireFree(name, permissions.replace());
        ChatDataset examples = read(rows);
        if (examples.size() > options.maxRows()) {
            throw new ConfigurationException(examples.size() + " rows; at most " + options.maxRows()
                    + " are taken (peft4j.tuning.max-rows)");
        }
        synchronized (tunings) {
            Tuning before = tunings.get(name);
            if (before != null && (before.state().equals("waiting") || before.state().equals("running"))) {
                throw new ConfigurationException("the adapter '" + name + "' is already being trained");
            }
            tunings.put(name, new Tuning("waiting", ""));
        }
        try {
            executor.execute(() -> run(name, examples, permissions));
        } catch (RuntimeException | Error e) {
            set(name, new Tuning("failed", "it did not begin: " + e));
            throw e;
        }
    }

    private void requireFree(String name, boolean replace) {
        if (!replace && AdapterCheckpoint.isAdapter(folder.resolve(name))) {
            throw new AdapterExistsException(name);
        }
    }

    private static ChatDataset read(String rows) {
        try {
            Path file = Files.createTempFile("peft4j-tuning", ".jsonl");
            try {
                return ChatDataset.read(Files.writeString(file, rows));
            } finally {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep the rows: " + e.getMessage(), e);
        }
    }

    private void run(String name, ChatDataset rows, Permissions permissions) {
        set(name, new Tuning("running", Count.of(rows.size(), "row")));
        boolean split = rows.size() >= FEWEST_TO_SPLIT && options.verdictItems() > 0;
        Split parts = split ? rows.split(SPLIT) : new Split(rows, rows);
        VerdictOptions verdict = new VerdictOptions(options.verdictItems(), options.guardItems(),
                VerdictOptions.defaults().maxNewTokens());
        LoraConfig config = LoraConfig.builder().rank(options.rank()).alpha(2 * options.rank())
                .targetModules(TargetModules.ALL_LINEAR).build();
        try (PeftModel model = adapters.base().withAdapter(config)) {
            LanguageModel present = adapters.names().contains(name) ? adapters.model(name) : adapters.base();
            Promotion round = Promotion.of(present, model).heldOut(verdict.questions(parts.test()))
                    .comparison(verdict::applyTo)
                    .acceptIf(found -> found.decision() != Verdict.Decision.DO_NOT_SHIP);
            if (permissions.force() || options.verdictItems() == 0) {
                round.always();
            }
            Promotion.Result result = round.run(() -> !Trainer.builder(model).options(options.training())
                    .cancellation(cancellation).build().train(parts.train()).cancelled(), decided -> {
                        // One may have come while this one was trained.
                        requireFree(name, permissions.replace());
                        model.saveAdapter(folder.resolve(name));
                        adapters.refresh();
                        return true;
                    });
            set(name, tuning(result, split));
        } catch (RuntimeException | Error e) {
            LOG.warn("training of adapter {} failed", name, e);
            set(name, new Tuning("failed", e instanceof Error ? e.toString() : String.valueOf(e.getMessage())));
        }
    }

    private static Tuning tuning(Promotion.Result result, boolean split) {
        String decision = result.report().map(report -> report.verdict().decision().key()).orElse("");
        String asked = split || result.report().isEmpty() ? "" : " (asked were rows that it learned, since fewer than "
                + FEWEST_TO_SPLIT + " leave none to hold out)";
        return switch (result.outcome()) {
            case PROMOTED -> new Tuning("done", decision, result.reason() + asked);
            case KEPT -> new Tuning("rejected", decision, result.reason() + asked + "; it does not answer: train it "
                    + "again with ?force=true to use it all the same");
            case STOPPED -> new Tuning("failed", "the application was stopped");
        };
    }

    private void set(String name, Tuning tuning) {
        synchronized (tunings) {
            tunings.put(name, tuning);
        }
    }

    /** The last training of each adapter. */
    public Map<String, Tuning> all() {
        synchronized (tunings) {
            return new TreeMap<>(tunings);
        }
    }

    /** Ends what runs, and waits for nothing. */
    @Override
    public void close() {
        cancellation.cancel();
        executor.shutdownNow();
    }
}
