package io.peft4j.core.peft;

import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.engine.Lifetime;
import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.io.Closer;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Network;
import io.peft4j.core.peft.ActiveAdapters.Active;
import io.peft4j.core.peft.ActiveAdapters.Choice;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.file.SavedEmbeddings;
import io.peft4j.core.peft.method.Adapter;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The adapters of a {@link PeftModel} and which of them run, for use by many threads. Changes are made one at a time
 * under a lock; what a pass needs is read without it, from values that are exchanged as a whole, and kept alive by
 * {@linkplain Lifetime leases}.
 */
final class AdapterSet {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,99}");

    private static final AdapterChoice DEFAULT = new AdapterChoice(Optional.empty(), Set.of(),
            "call activate(...), or use the view with(...)");

    private final BaseLanguageModel base;
    private final ActiveAdapters activation = new ActiveAdapters(this);
    private final Lifetime lifetime = new Lifetime("the model with adapters", () -> {
    });
    private final ReentrantLock changes = new ReentrantLock();
    private volatile Map<String, AttachedAdapter> adapters = Map.of();
    private volatile boolean training;
    /** Trainings that have begun and ended. */
    private final AtomicLong trainings = new AtomicLong();

    AdapterSet(BaseLanguageModel base) {
        this.base = base;
    }

    Network network() {
        return base.network();
    }

    Map<String, AttachedAdapter> all() {
        return lifetime.isClosed() ? Map.of() : adapters;
    }

    Active active() {
        return activation.active();
    }

    AttachedAdapter held(String name) {
        AttachedAdapter found = adapters.get(name);
        if (found == null) {
            throw new ConfigurationException("unknown adapter '" + name + "'; "
                    + SimilarNames.sentence(name, adapters.keySet()));
        }
        return found;
    }

    /** An adapter, unless the model is closed. */
    Adapter adapter(String name) {
        try (Lifetime.Lease open = lifetime.lease()) {
            return held(name).adapter();
        }
    }

    /** A view of the model; a choice that cannot run is refused now. */
    LanguageModel view(PeftModel model, Choice choice) {
        activation.active(choice);
        return new AdapterView(model, this, choice);
    }

    // ---- use

    /** What is active now. */
    ModelLease lease() {
        return lease(activation::active);
    }

    /**
     * What answers if no adapter is named.
     *
     * @throws ConfigurationException when that is not clear
     */
    ModelLease leaseForAnswer() {
        return lease(() -> {
            while (true) {
                Active now = activation.active();
                try {
                    return now.choice().isMade() ? now : byDefault(now);
                } catch (ConfigurationException e) {
                    // Otherwise another thread has chosen meanwhile.
                    if (now == activation.active()) {
                        throw e;
                    }
                }
            }
        });
    }

    private Active byDefault(Active now) {
        String name = DEFAULT.name(Optional.empty(), adapters.keySet());
        return now.choice().names().contains(name) || name.equals(PeftModel.BASE) ? now
                : activation.active(Choice.onAllRows(List.of(name)));
    }

    /** A choice of adapters, whichever are active. */
    ModelLease lease(Choice choice) {
        return lease(() -> activation.active(choice));
    }

    private ModelLease lease(Supplier<Active> wanted) {
        while (true) {
            Active now = wanted.get();
            try {
                return base.lease().with(now.layers(),
                        Stream.concat(Stream.of(lifetime), now.memory().stream()).toList());
            } catch (ClosedException e) {
                // Where it is not the model that is closed but an adapter, another one has taken its place meanwhile.
                if (lifetime.isClosed() || wanted.get().memory().equals(now.memory())) {
                    throw e;
                }
            }
        }
    }

    /** One adapter alone. */
    AdapterLease leaseAdapter(String name) {
        while (true) {
            try (Lifetime.Lease open = lifetime.lease()) {
                AttachedAdapter now = held(name);
                try {
                    return new AdapterLease(name, now, network(), trainings.get());
                } catch (ClosedException e) {
                    // Another one has taken its place meanwhile, or it has been deleted.
                    if (held(name) == now) {
                        throw e;
                    }
                }
            }
        }
    }

    /** What is active now, which cannot be changed until the lease is closed. */
    ModelLease leaseForTraining() {
        return changing(() -> {
            requireUnmerged("train");
            requireNotTraining("begin another training");
            Lifetime run = new Lifetime("the training", () -> {
                trainings.incrementAndGet();
                training = false;
            });
            ModelLease lease = base.lease().with(active().layers(),
                    Stream.concat(Stream.of(run), active().memory().stream()).toList());
            training = true;
            trainings.incrementAndGet();
            run.close();
            return lease;
        });
    }

    // ---- changes

    /**
     * Runs a change: one at a time, while model and base are open.
     *
     * @throws ClosedException when one of them is closed
     */
    <T> T changing(Supplier<T> change) {
        changes.lock();
        try (Lifetime.Lease open = lifetime.lease(); ModelLease held = base.lease()) {
            return change.get();
        } finally {
            changes.unlock();
        }
    }

    void change(Runnable change) {
        changing(() -> {
            change.run();
            return null;
        });
    }

    void requireUnmerged(String what) {
        activation.requireUnmerged(what);
    }

    private void requireNotTraining(String what) {
        if (training) {
            throw new ConfigurationException("cannot " + what + " while the model is being trained; wait for "
                    + "the end of the training, or use a view of the model (with(...)) for other adapters");
        }
    }

    /** What is said of the decisions of a choice: by its adapter where it is one, else by the base. */
    DecisionSettings decisions(Choice choice) {
        return choice.names().size() != 1 || choice.names().get(0).equals(PeftModel.BASE) ? base.decisions()
                : held(choice.names().get(0)).checkpoint().decisions();
    }

    /** Says it of the active adapter. */
    void describe(DecisionSettings settings) {
        change(() -> {
            String name = active().choice().names().get(0);
            AttachedAdapter held = held(name);
            Map<String, AttachedAdapter> all = new LinkedHashMap<>(adapters);
            all.put(name, new AttachedAdapter(held.checkpoint().withDecisions(settings), held.lifetime()));
            adapters = Collections.unmodifiableMap(all);
        });
    }

    /** Adds an adapter; the first one becomes active. */
    void add(String name, Supplier<AdapterCheckpoint> made) {
        change(() -> {
            requireUnmerged("add an adapter");
            if (!NAME.matcher(name).matches()) {
                throw new ConfigurationException("invalid adapter name '" + name + "': use letters, digits, - and _");
            }
            if (adapters.containsKey(name)) {
                throw new ConfigurationException("adapter '" + name + "' already exists; choose another name, or "
                        + "delete it");
            }
            AdapterCheckpoint adapter = made.get();
            closingOnFailure(adapter, () -> ActiveLayers.of(Map.of(name, adapter.adapter())));
            put(name, adapter);
            if (adapters.size() == 1) {
                activation.choose(Choice.first(name));
            }
        });
    }

    private void put(String name, AdapterCheckpoint adapter) {
        Map<String, AttachedAdapter> more = new LinkedHashMap<>(adapters);
        more.put(name, AttachedAdapter.of(name, adapter));
        adapters = Collections.unmodifiableMap(more);
    }

    /** Looks whether an adapter can run; frees it where it cannot. */
    private static void closingOnFailure(AdapterCheckpoint adapter, Runnable check) {
        try (Closer loaded = new Closer()) {
            loaded.add(adapter.adapter());
            check.run();
            loaded.keep();
        }
    }

    /** Puts the adapter of a folder in the place of another one. */
    void swap(String name, Path folder) {
        change(() -> {
            requireUnmerged("swap an adapter");
            AttachedAdapter before = unused(name, "swap");
            AdapterCheckpoint loaded = AdapterCheckpoint.load(folder, base);
            closingOnFailure(loaded, () -> {
                ActiveLayers.of(Map.of(name, loaded.adapter()));
                activation.requireFit(name, loaded.adapter());
            });
            put(name, loaded);
            activation.refresh();
            before.lifetime().close();
        });
    }

    void delete(String name) {
        change(() -> {
            requireUnmerged("delete an adapter");
            AttachedAdapter deleted = unused(name, "delete");
            activation.drop(name);
            Map<String, AttachedAdapter> rest = new LinkedHashMap<>(adapters);
            rest.remove(name);
            adapters = Collections.unmodifiableMap(rest);
            deleted.lifetime().close();
        });
    }

    /** An adapter that is not being trained. */
    private AttachedAdapter unused(String name, String what) {
        AttachedAdapter found = held(name);
        if (active().choice().names().contains(name)) {
            requireNotTraining(what + " adapter '" + name + "'");
        }
        return found;
    }

    void choose(Choice choice) {
        change(() -> {
            requireNotTraining("activate other adapters");
            activation.choose(choice);
        });
    }

    PeftModel.Scope disable() {
        return changing(() -> {
            requireNotTraining("disable adapters");
            return activation.suspend();
        });
    }

    // ---- merging

    void merge() {
        change(() -> {
            requireNotTraining("merge");
            activation.merge();
        });
    }

    /** Merges by a check, which itself calls {@link #merge()}. */
    LogitDifference merge(Supplier<LogitDifference> check) {
        return changing(() -> {
            activation.requireMergeable();
            return check.get();
        });
    }

    void unmerge() {
        change(activation::unmerge);
    }

    boolean isMerged() {
        return activation.isMerged();
    }

    Map<String, INDArray> mergedWeights() {
        return activation.mergedWeights();
    }

    // ---- files

    void saveAll(Path folder, SavedEmbeddings embeddings) {
        change(() -> {
            if (adapters.isEmpty()) {
                throw new ConfigurationException("no adapter to save");
            }
            adapters.forEach((name, held) -> held.checkpoint().save(name.equals(PeftModel.DEFAULT_ADAPTER) ? folder
                    : folder.resolve(name), base, embeddings));
            base.tokenizer().save(folder);
        });
    }

    void save(String name, Path folder) {
        change(() -> {
            held(name).checkpoint().save(folder, base);
            base.tokenizer().save(folder);
        });
    }

    String fingerprint(String name) {
        return changing(() -> held(name).checkpoint().fingerprint(base));
    }

    /** Refuses whatever begins from now on; what is held is freed when everything that runs has ended. */
    void close() {
        changes.lock();
        try {
            if (!lifetime.isClosed()) {
                lifetime.close();
                List<Lifetime> memory = Stream.concat(active().memory().stream(),
                        adapters.values().stream().map(AttachedAdapter::lifetime)).toList();
                activation.clear();
                memory.forEach(Lifetime::close);
            }
        } finally {
            changes.unlock();
        }
    }
}
