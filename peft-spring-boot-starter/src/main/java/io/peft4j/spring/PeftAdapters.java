package io.peft4j.spring;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.NearNames;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One base model and the adapters of a folder, of which each sub-folder is one. An adapter that comes, changes or goes
 * there does so here without a restart: answers that have begun end with what they began with. An adapter that cannot
 * be loaded is named in {@link #problems} and in the log, and the one before it goes on answering.
 *
 * <p>For any number of threads. Closing it closes the base model.
 */
public final class PeftAdapters implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PeftAdapters.class);
    private static final List<String> FILES = List.of("adapter_config.json", "adapter_model.safetensors");

    /** What tells whether the files of an adapter have changed. */
    private record State(List<FileTime> times, List<Long> sizes) {
        static Optional<State> of(Path folder) {
            List<FileTime> times = new ArrayList<>();
            List<Long> sizes = new ArrayList<>();
            try {
                for (String name : FILES) {
                    times.add(Files.getLastModifiedTime(folder.resolve(name)));
                    sizes.add(Files.size(folder.resolve(name)));
                }
                return Optional.of(new State(times, sizes));
            } catch (IOException e) {
                // No adapter, or one that is on its way.
                return Optional.empty();
            }
        }
    }

    private final BaseModel base;
    private final PeftModel model;
    private final Optional<Path> folder;
    private final Optional<String> usual;
    private final Map<String, State> known = new HashMap<>();
    private final Map<String, State> refused = new HashMap<>();
    private volatile Map<String, String> problems = Map.of();
    private Optional<ScheduledExecutorService> watch = Optional.empty();

    /**
     * Loads the adapters that there are.
     *
     * @param base the base model, taken over
     * @param folder the folder of the adapters, which may come later
     * @param usual the adapter that answers where none is named
     * @param reload how often the folder is looked at; 0 means when {@link #refresh} is called
     */
    public PeftAdapters(BaseModel base, Optional<Path> folder, Optional<String> usual, Duration reload) {
        this.base = Objects.requireNonNull(base, "base");
        this.folder = folder;
        this.usual = usual;
        this.model = new PeftModel(base);
        refresh();
        if (folder.isPresent() && !reload.isZero()) {
            ScheduledExecutorService service = Executors.newSingleThreadScheduledExecutor(task -> {
                Thread thread = new Thread(task, "peft4j-adapters");
                thread.setDaemon(true);
                return thread;
            });
            service.scheduleWithFixedDelay(this::refreshQuietly, reload.toMillis(), reload.toMillis(),
                    TimeUnit.MILLISECONDS);
            watch = Optional.of(service);
        }
    }

    private void refreshQuietly() {
        try {
            refresh();
        } catch (RuntimeException e) {
            LOG.warn("cannot look for adapters: {}", e.getMessage());
        }
    }

    /** Looks at the folder now: loads what is new or changed, and drops what is gone. */
    public synchronized void refresh() {
        Map<String, Path> there = folders();
        for (String gone : List.copyOf(known.keySet())) {
            if (!there.containsKey(gone)) {
                model.deleteAdapter(gone);
                known.remove(gone);
                LOG.info("the adapter {} is gone", gone);
            }
        }
        refused.keySet().retainAll(there.keySet());
        Map<String, String> found = new TreeMap<>(problems);
        found.keySet().retainAll(there.keySet());
        there.forEach((name, path) -> State.of(path).ifPresent(state -> load(name, path, state, found)));
        problems = Map.copyOf(found);
    }

    private void load(String name, Path path, State state, Map<String, String> found) {
        if (state.equals(known.get(name)) || state.equals(refused.get(name))) {
            return;
        }
        try {
            if (known.containsKey(name)) {
                model.hotSwap(name, path);
            } else {
                model.loadAdapter(name, path);
            }
            known.put(name, state);
            refused.remove(name);
            found.remove(name);
            LOG.info("the adapter {} is loaded from {}", name, path);
        } catch (PeftException | UncheckedIOException e) {
            refused.put(name, state);
            found.put(name, e.getMessage());
            LOG.warn("the adapter {} cannot be loaded: {}", name, e.getMessage());
        }
    }

    private Map<String, Path> folders() {
        Map<String, Path> found = new TreeMap<>();
        if (folder.filter(Files::isDirectory).isPresent()) {
            try (Stream<Path> entries = Files.list(folder.get())) {
                entries.filter(entry -> !entry.getFileName().toString().startsWith("."))
                        .filter(entry -> State.of(entry).isPresent())
                        .forEach(entry -> found.put(entry.getFileName().toString(), entry));
            } catch (IOException e) {
                throw new UncheckedIOException("cannot list " + folder.get() + ": " + e.getMessage(), e);
            }
        }
        return found;
    }

    /** The base model. */
    public BaseModel base() {
        return base;
    }

    /** The folder of the adapters. */
    public Optional<Path> folder() {
        return folder;
    }

    /** The names of the adapters that answer. */
    public List<String> names() {
        return model.adapterNames();
    }

    /** The adapters that could not be loaded, and why. */
    public Map<String, String> problems() {
        return problems;
    }

    /** What answers where nobody chooses: the adapter that is set, or the only one, or the base. */
    public LanguageModel model() {
        List<String> names = names();
        if (usual.isPresent()) {
            return model(usual.get());
        }
        return names.size() == 1 ? model(names.get(0)) : base;
    }

    /**
     * The base model with an adapter.
     *
     * @param adapter its name, or {@value PeftModel#BASE} for none
     * @throws ConfigurationException when there is none of that name
     */
    public LanguageModel model(String adapter) {
        if (adapter.equals(PeftModel.BASE)) {
            return base;
        }
        if (!names().contains(adapter)) {
            throw new ConfigurationException("unknown adapter '" + adapter + "'; " + (names().isEmpty()
                    ? "there is none" + folder.map(path -> " in " + path).orElse("")
                    : NearNames.sentence(adapter, names())));
        }
        return model.with(adapter);
    }

    @Override
    public void close() {
        watch.ifPresent(ScheduledExecutorService::shutdownNow);
        model.close();
        base.close();
    }
}
