package io.peft4j.models;

import io.peft4j.core.engine.BackgroundLoop;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.Closer;
import io.peft4j.core.io.Sha256;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.AdapterChoice;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.file.AdapterSignature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One base model and the adapters of a folder, of which each sub-folder with a configuration is one. An adapter that
 * comes, changes or goes there does so here without a restart: answers that have begun end with what they began with.
 * An adapter that cannot be loaded is named in {@link #problems} and in the log, and the one before it keeps
 * answering. Which one answers a request is the rule of {@link AdapterChoice}; what cannot be loaded counts there, too,
 * so that nothing else answers in its place, but takes no place from an adapter that was the only one before.
 *
 * <p>For any number of threads. Closing it closes the base model.
 */
public final class PeftAdapters implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PeftAdapters.class);
    /** The property that says which adapter answers where a request names none. */
    public static final String DEFAULT_ADAPTER = "peft4j.default-adapter";

    /** What tells whether the files of an adapter have changed; a file that is not there has neither. */
    private record State(List<FileTime> times, List<Long> sizes) {
        static State of(Path folder) {
            List<FileTime> times = new ArrayList<>();
            List<Long> sizes = new ArrayList<>();
            for (String name : List.of(AdapterCheckpoint.CONFIG_FILE, AdapterCheckpoint.WEIGHTS_FILE,
                    AdapterSignature.MANIFEST, AdapterSignature.SIGNATURE)) {
                try {
                    times.add(Files.getLastModifiedTime(folder.resolve(name)));
                    sizes.add(Files.size(folder.resolve(name)));
                } catch (IOException e) {
                    // Loading says what is missing.
                    sizes.add(-1L);
                }
            }
            return new State(times, sizes);
        }
    }

    /** There is no adapter of the name that a request gave. */
    public static final class UnknownAdapterException extends ConfigurationException {
        private static final long serialVersionUID = 1;

        UnknownAdapterException(ConfigurationException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /**
     * What an application tells of its models.
     *
     * @param up whether they answer, and requests that name no adapter as the folder says
     * @param details the base ({@code model}), what its weights are kept in ({@code weights}), the adapters and their
     *     versions ({@code adapters}), those that could not be loaded ({@code problems}), if any, and what answers
     *     requests that name none ({@code default}), or why nothing does
     */
    public record Health(boolean up, Map<String, Object> details) {
    }

    /** An application cannot start, since it is not known which adapter answers a request that names none. */
    public static final class NoDefaultAdapterException extends ConfigurationException {
        private static final long serialVersionUID = 1;

        NoDefaultAdapterException(ConfigurationException cause) {
            super(cause.getMessage(), cause);
        }
    }

    private final BaseModel base;
    private final PeftModel model;
    private final Optional<Path> folder;
    private final Optional<AdapterSignature> trusted;
    private final AdapterChoice choice;
    private final Map<String, State> loaded = new HashMap<>();
    private final Map<String, String> versions = new ConcurrentHashMap<>();
    private final Map<String, State> refused = new HashMap<>();
    private volatile Map<String, String> problems = Map.of();
    /** The adapter that was the only one. */
    private volatile Optional<String> only = Optional.empty();
    private Optional<BackgroundLoop> watch = Optional.empty();

    /**
     * Loads the adapters that there are.
     *
     * @param base the base model, taken over
     * @param folder the folder of the adapters, which may come later
     * @param defaultName the adapter that answers where none is named; needed where there are several
     * @param trusted who must have signed the adapters; empty for anybody
     * @param reload how often the folder is looked at; 0 means when {@link #refresh} is called
     * @throws NoDefaultAdapterException when there are adapters, and the default is none of them, or none of several
     *     was chosen
     */
    public PeftAdapters(BaseModel base, Optional<Path> folder, Optional<String> defaultName,
            Optional<AdapterSignature> trusted, Duration reload) {
        this.base = Objects.requireNonNull(base, "base");
        this.folder = folder;
        this.trusted = trusted;
        this.choice = new AdapterChoice(defaultName, Set.of(base.network().description().name()), "set "
                + DEFAULT_ADAPTER + " to its name");
        this.model = new PeftModel(base);
        refresh();
        requireDefault();
        if (folder.isPresent() && !reload.isZero()) {
            watch = Optional.of(BackgroundLoop.start("peft4j-adapters", reload, () -> {
                refresh();
                return true;
            }, e -> {
                LOG.warn("cannot scan the adapter folder", e);
                return true;
            }));
        }
    }

    private void requireDefault() {
        try {
            choice.name(Optional.empty(), known());
        } catch (ConfigurationException e) {
            if (choice.defaultName().isPresent() && known().isEmpty()) {
                // It may come later.
                LOG.warn("{}: {}", DEFAULT_ADAPTER, e.getMessage());
                return;
            }
            close();
            throw new NoDefaultAdapterException(e);
        }
    }

    /** Looks at the folder now: loads what is new or changed, and drops what is gone. */
    public synchronized void refresh() {
        Map<String, Path> there = folders();
        for (String gone : List.copyOf(loaded.keySet())) {
            if (!there.containsKey(gone)) {
                model.deleteAdapter(gone);
                loaded.remove(gone);
                versions.remove(gone);
                LOG.info("adapter {} removed", gone);
            }
        }
        refused.keySet().retainAll(there.keySet());
        Map<String, String> found = new TreeMap<>(problems);
        found.keySet().retainAll(there.keySet());
        there.forEach((name, path) -> load(name, path, State.of(path), found));
        problems = Map.copyOf(found);
        if (there.size() == 1) {
            only = Optional.of(there.keySet().iterator().next());
        }
    }

    private void load(String name, Path path, State state, Map<String, String> found) {
        if (state.equals(loaded.get(name)) || state.equals(refused.get(name))) {
            return;
        }
        try {
            if (trusted.isPresent()) {
                trusted.get().load(path, verified -> put(name, verified));
            } else {
                put(name, path);
            }
            loaded.put(name, state);
            // Files that change meanwhile have another state, and are loaded again.
            versions.put(name, Sha256.of(path.resolve(AdapterCheckpoint.WEIGHTS_FILE)).substring(0, 12));
            refused.remove(name);
            found.remove(name);
            LOG.info("adapter {} loaded from {}", name, path);
        } catch (PeftException | UncheckedIOException e) {
            refused.put(name, state);
            found.put(name, e.getMessage());
            LOG.warn("cannot load adapter {}: {}", name, e.getMessage());
        }
    }

    private PeftModel put(String name, Path path) {
        if (!loaded.containsKey(name)) {
            return model.loadAdapter(name, path);
        }
        model.hotSwap(name, path);
        return model;
    }

    private Map<String, Path> folders() {
        Map<String, Path> found = new TreeMap<>();
        if (folder.filter(Files::isDirectory).isPresent()) {
            try (Stream<Path> entries = Files.list(folder.get())) {
                entries.filter(entry -> !entry.getFileName().toString().startsWith("."))
                        .filter(AdapterCheckpoint::isAdapter)
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

    /** Whether adapters must be signed. */
    public boolean takesSignedOnly() {
        return trusted.isPresent();
    }

    /** The names of the adapters that answer. */
    public List<String> names() {
        return model.adapterNames();
    }

    /** The adapters that answer and their versions: how the SHA-256 of the weights' file begins. */
    public Map<String, String> versions() {
        return new TreeMap<>(versions);
    }

    /** The adapters that could not be loaded, and why. */
    public Map<String, String> problems() {
        return problems;
    }

    /** All of the folder, those that cannot be loaded as well. */
    private Set<String> known() {
        Set<String> known = new TreeSet<>(names());
        known.addAll(problems.keySet());
        return known;
    }

    /**
     * What answers a request, by the rule of {@link AdapterChoice}.
     *
     * @param asked the adapter that it names, or the base; empty where it names none
     * @return the name of an adapter, or {@value PeftModel#BASE}
     * @throws UnknownAdapterException when there is none of the name that was asked for
     * @throws ConfigurationException when it cannot be loaded, or there are several and nothing says which is meant
     */
    public String name(Optional<String> asked) {
        Set<String> known = known();
        // Where the only one is gone, the base does not take its place; nor does what cannot be loaded, beside it.
        Optional<String> wanted = asked.or(choice::defaultName)
                .or(() -> known.isEmpty() || only.map(List::of).equals(Optional.of(names())) ? only : Optional.empty());
        String name;
        try {
            name = choice.name(wanted, known);
        } catch (ConfigurationException e) {
            throw wanted.isPresent() ? new UnknownAdapterException(e) : e;
        }
        if (!name.equals(PeftModel.BASE) && !names().contains(name)) {
            throw new ConfigurationException("the adapter '" + name + "' cannot be loaded: " + problems.get(name));
        }
        return name;
    }

    /**
     * What answers if none is chosen: the default, or the only adapter, or the base where there never was one.
     *
     * @throws ConfigurationException when there are several and no default, or it cannot answer
     */
    public LanguageModel model() {
        return model(Optional.empty());
    }

    /**
     * The base model with an adapter.
     *
     * @param adapter its name, or {@value PeftModel#BASE} for none
     * @throws ConfigurationException when there is none of that name, or it cannot be loaded
     */
    public LanguageModel model(String adapter) {
        return model(Optional.of(adapter));
    }

    /**
     * What answers a request.
     *
     * @param asked the adapter that it names, or the base; empty where it names none
     * @throws ConfigurationException as {@link #name}
     */
    public LanguageModel model(Optional<String> asked) {
        String name = name(asked);
        return name.equals(PeftModel.BASE) ? base : model.with(name);
    }

    /**
     * The health of these models: down where the adapter for requests that name none could not be loaded, since what
     * answers them is not what was put there, or where it is not clear which that is; other problems are details.
     *
     * @throws io.peft4j.core.error.ClosedException when the models are closed
     */
    public Health health() {
        base.lease().close();
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("model", base.network().description().name());
        details.put("weights", base.precision().name());
        details.put("adapters", versions());
        if (!problems.isEmpty()) {
            details.put("problems", problems);
        }
        try {
            String usual = name(Optional.empty());
            details.put("default", usual);
            return new Health(!problems.containsKey(usual), details);
        } catch (ConfigurationException e) {
            details.put("default", e.getMessage());
            return new Health(false, details);
        }
    }

    @Override
    public void close() {
        watch.ifPresent(loop -> loop.stop(Duration.ZERO));
        Closer.closeAll(List.of(model, base));
    }
}
