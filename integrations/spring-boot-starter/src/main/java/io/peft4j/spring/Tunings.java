package io.peft4j.spring;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.data.ChatDataset;
import io.peft4j.lora.LoraConfig;
import io.peft4j.train.Cancellation;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingResult;
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
 * Trains adapters of an application while it answers, one after the other, and puts them into its folder of adapters,
 * from which they answer.
 */
public final class Tunings implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Tunings.class);
    private static final String NAME = "[A-Za-z0-9_-]{1,64}";

    /**
     * A training.
     *
     * @param state waiting, running, done or failed
     * @param message what came out, or why it failed
     */
    public record Tuning(String state, String message) {
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
    }

    /**
     * Begins a training.
     *
     * @param rows chats as JSON Lines
     * @param replace whether an adapter of that name may be replaced, when it is done
     * @throws AdapterExistsException when there is one of that name that may not be replaced
     * @throws ConfigurationException when the name cannot be one of an adapter, or there are too many rows
     * @throws io.peft4j.core.error.DataException when a row is wrong
     */
    public void begin(String name, String rows, boolean replace) {
        if (!name.matches(NAME)) {
            throw new ConfigurationException("invalid adapter name '" + name + "': use letters, digits, '-' and '_'");
        }
        requireFree(name, replace);
        ChatDataset examples = read(rows);
        if (examples.size() > options.maxRows()) {
            throw new ConfigurationException(examples.size() + " rows; at most " + options.maxRows()
                    + " are taken (peft4j.tuning.max-rows)");
        }
        synchronized (tunings) {
            Tuning before = tunings.get(name);
            if (before != null && (before.state().equals("waiting") || before.state().equals("running"))) {
                throw new ConfigurationException("the adapter '" + name + "' is being trained already");
            }
            tunings.put(name, new Tuning("waiting", ""));
        }
        executor.execute(() -> run(name, examples, replace));
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

    private void run(String name, ChatDataset examples, boolean replace) {
        set(name, new Tuning("running", Count.of(examples.size(), "row")));
        LoraConfig config = LoraConfig.builder().rank(options.rank()).alpha(2 * options.rank())
                .targetModules(TargetModules.ALL_LINEAR).build();
        try (PeftModel model = adapters.base().withAdapter(config)) {
            TrainerBuilder trainer = Trainer.builder(model).cancellation(cancellation);
            options.epochs().value().ifPresent(trainer::epochs);
            options.batchSize().value().ifPresent(trainer::batchSize);
            options.learningRate().value().ifPresent(trainer::learningRate);
            TrainingResult result = trainer.build().train(examples);
            if (result.cancelled()) {
                set(name, new Tuning("failed", "the application was stopped"));
                return;
            }
            // One may have come while this one was trained.
            requireFree(name, replace);
            model.saveAdapter(folder.resolve(name));
            adapters.refresh();
            set(name, new Tuning("done", result.toString()));
        } catch (RuntimeException | Error e) {
            LOG.warn("the training of {} failed", name, e);
            set(name, new Tuning("failed", e instanceof Error ? e.toString() : String.valueOf(e.getMessage())));
        }
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
