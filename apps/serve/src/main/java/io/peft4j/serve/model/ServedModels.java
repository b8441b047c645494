package io.peft4j.serve.model;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Closer;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.AdapterChoice;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterSignature;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.task.Reranker;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.eval.judge.GraderModels;
import io.peft4j.models.BaseModel;
import io.peft4j.models.generation.TextConstraints;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.store.Store;
import io.peft4j.serve.store.StoredModel;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The base model and the adapters on it, by the names that clients use: those that were given by name, and those that
 * jobs have made, which are loaded on their first request. These names may hold characters that names of adapters may
 * not ({@code ft:base:org::id}), so each adapter has another name inside.
 */
public final class ServedModels implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ServedModels.class);

    /** What {@code owned_by} says of all models but the base: keys are not named. */
    private static final String OWNER = "user";
    /** What adapters may take in memory: those that were asked longest ago leave it, and come back when asked again. */
    private static final long MOST_BYTES = Math.max(256L << 20, ProcessUsage.memoryLimitBytes() / 16);
    private static final int MOST_LOADED = 128;
    /** As many stay however large they are, and one that is asked now does not push out the one before. */
    private static final int FEWEST_LOADED = 4;

    private final BaseModel base;
    private final String baseName;
    private final AdapterChoice choice;
    private final PeftModel model;
    /** The adapter that the base's {@code decision.json} names, which typed questions alone go to; else the base. */
    private final String deciding;
    private final Store store;
    private final Map<String, LocalDate> shutdowns;
    private final Map<String, LanguageModel> further;
    private final Optional<AdapterSignature> trusted;
    private final Clock clock;
    /** Held while an adapter is loaded, taken before the lock of this object: who only asks does not wait for that. */
    private final Object loading = new Object();
    private final Map<String, ServedModel> loaded = new LinkedHashMap<>();
    /** What the adapters take that are in memory, by their models' names, the one that was asked longest ago first. */
    private final Map<String, Long> bytes = new LinkedHashMap<>(16, 0.75f, true);
    private long number;

    /**
     * The base and what its jobs have left.
     *
     * @param base stays the caller's
     * @param baseName what clients call it
     * @param shutdowns when models stop to answer
     * @param further models beside it that give vectors of texts or score them for a query, by clients' names
     * @param trusted who must have signed adapters that no job has made; empty for anybody
     * @throws ConfigurationException when the base neither answers nor gives vectors, or two models have one name
     */
    public ServedModels(BaseModel base, String baseName, Store store, Map<String, LocalDate> shutdowns,
            Map<String, LanguageModel> further, Optional<AdapterSignature> trusted, Clock clock) {
        Task task = base.network().task();
        if (!decides(task) && !givesVectors(task) && !Reranker.isFor(task)) {
            throw new ConfigurationException("the model '" + baseName + "' is for " + task.type()
                    + "; a server takes models that answer, those that give vectors of texts (FEATURE_EXTRACTION), "
                    + "those of decisions, and rerankers (SEQ_CLS with one label)");
        }
        if (further.containsKey(baseName)) {
            throw new ConfigurationException("two models are called '" + baseName + "'");
        }
        this.base = base;
        this.baseName = baseName;
        this.choice = new AdapterChoice(Optional.empty(),
                Set.copyOf(List.of(baseName, base.network().description().name())), "name the model in the request");
        this.store = store;
        this.shutdowns = Map.copyOf(shutdowns);
        this.further = new TreeMap<>(further);
        this.trusted = trusted;
        this.clock = clock;
        loaded.put(baseName, new ServedModel(baseName, PeftModel.BASE, clock.instant().getEpochSecond(), "peft4j",
                Optional.empty(), Optional.empty()));
        try (Closer opened = new Closer()) {
            this.model = opened.add(new PeftModel(base));
            this.deciding = base.ownAdapter().filter(folder -> decides(task)).map(folder -> model
                    .loadAdapter("its-own", folder)).map(known -> "its-own").orElse(PeftModel.BASE);
            opened.keep();
        }
    }

    /** What a model is called that was given no name: the last part of a hub's ID or a path. */
    public static String nameOf(LanguageModel model) {
        String name = model.network().description().name().replace('\\', '/');
        return name.substring(name.lastIndexOf('/') + 1);
    }

    /** The base model. */
    public BaseModel base() {
        return base;
    }

    /** What clients call the base. */
    public String baseName() {
        return baseName;
    }

    /** Whether the base and its adapters answer; else they give vectors or scores of texts, or decide alone. */
    public boolean isAnswering() {
        return !base.network().task().type().hasHead();
    }

    /** The model of a name that gives vectors of texts; empty if there is none, or it does not. */
    public Optional<LanguageModel> embedder(String name, Caller caller) {
        return find(name, caller, ServedModels::givesVectors);
    }

    /** The model of a name that scores texts for a query; empty if there is none, or it does not. */
    public Optional<LanguageModel> reranker(String name, Caller caller) {
        return find(name, caller, Reranker::isFor).filter(model -> isTrained(name));
    }

    /** The model of a name that answers typed questions; empty if there is none, or it does not. */
    public Optional<Decider> decider(String name, Caller caller) {
        return !isDecider(name) ? Optional.empty() : further.containsKey(name)
                ? find(name, caller, ServedModels::decides).map(found -> new Decider(found, Optional.empty()))
                : find(name, caller).map(found -> found.adapter().equals(PeftModel.BASE) ? deciding : found.adapter())
                        .map(adapter -> new Decider(view(adapter), Optional.of(adapter)));
    }

    private boolean isDecider(String name) {
        return decides(further.getOrDefault(name, base).network().task())
                && (isTrained(name) || !deciding.equals(PeftModel.BASE) && isBase(name));
    }

    private static boolean decides(Task task) {
        return !task.type().hasHead() || task.type() == Task.Type.DECISION;
    }

    private static boolean givesVectors(Task task) {
        return task.type() == Task.Type.FEATURE_EXTRACTION;
    }

    private Optional<LanguageModel> find(String name, Caller caller, Predicate<Task> kind) {
        LanguageModel more = further.get(name);
        if (more != null) {
            return Optional.of(more).filter(model -> !isShutDown(name) && kind.test(model.network().task()));
        }
        return kind.test(base.network().task()) ? find(name, caller).map(ServedModel::adapter)
                .map(this::view) : Optional.empty();
    }

    /** A new head says nothing without an adapter. */
    private boolean isTrained(String name) {
        boolean adapted = !further.containsKey(name) && !isBase(name);
        Network network = further.getOrDefault(name, base).network();
        return adapted || !network.task().type().hasHead() || network.headed().untrained().isEmpty();
    }

    private LanguageModel view(String adapter) {
        return adapter.equals(PeftModel.BASE) ? base : model.with(adapter);
    }

    /** The names of all models that give vectors of texts. */
    public List<String> embedderNames(Caller caller) {
        return names(caller, ServedModels::givesVectors);
    }

    /** The names of all models that score texts for a query. */
    public List<String> rerankerNames(Caller caller) {
        return names(caller, Reranker::isFor).stream().filter(this::isTrained).toList();
    }

    /** The names of all models that answer typed questions. */
    public List<String> deciderNames(Caller caller) {
        return all(caller).stream().map(ServedModel::name).filter(this::isDecider).toList();
    }

    private List<String> names(Caller caller, Predicate<Task> kind) {
        return all(caller).stream().map(ServedModel::name)
                .filter(name -> kind.test(further.getOrDefault(name, base).network().task())).toList();
    }

    /** There since the base is, and without an adapter. */
    private ServedModel beside(String name) {
        return new ServedModel(name, "", since(), "peft4j", Optional.empty(), Optional.empty());
    }

    /** Since when the base answers here, in seconds since 1970. */
    public synchronized long since() {
        return loaded.get(baseName).created();
    }

    /** The day on which a model stops to answer. */
    public Optional<LocalDate> shutdown(String name) {
        return Optional.ofNullable(shutdowns.get(name));
    }

    private boolean isShutDown(String name) {
        return shutdown(name).filter(day -> !LocalDate.now(clock.withZone(ZoneOffset.UTC)).isBefore(day)).isPresent();
    }

    /** What graders ask: the models that answer here and that a caller sees, by the names of clients for them. */
    public GraderTools graderTools(Caller caller) {
        return GraderModels.of(name -> find(name, caller).filter(served -> isAnswering())
                .map(ServedModel::adapter).map(this::view)
                .orElseThrow(() -> new ConfigurationException("the grader asks the model '" + name
                        + "', which does not answer here")),
                TextConstraints::jsonSchema, Optional.empty());
    }

    /** The base with all adapters that answer. */
    public PeftModel model() {
        return model;
    }

    /**
     * Loads an adapter from a folder, so that it answers under the name.
     *
     * @param project whose keys see it; empty for all
     * @throws ConfigurationException when the name is taken
     * @throws io.peft4j.core.error.PeftException when the adapter is damaged or does not fit
     */
    public ServedModel add(String name, Path folder, Optional<String> project) {
        synchronized (loading) {
            if (isBase(name) || former(name).isPresent() || further.containsKey(name)
                    || store.models().find(baseName, name).isPresent()) {
                throw new ConfigurationException("model '" + name + "' already exists");
            }
            return load(name, folder, clock.instant().getEpochSecond(), project);
        }
    }

    private synchronized Optional<ServedModel> former(String name) {
        return Optional.ofNullable(loaded.get(name));
    }

    /**
     * Loads an adapter as {@link #add} does, in the place of one that has the name; that answers until this one can.
     *
     * @throws io.peft4j.core.error.PeftException when the adapter is damaged or does not fit: the former one stays
     */
    public ServedModel replace(String name, Path folder, Optional<String> project) {
        synchronized (loading) {
            Optional<ServedModel> former = former(name);
            if (former.isEmpty()) {
                return add(name, folder, project);
            }
            ServedModel served = load(name, folder, clock.instant().getEpochSecond(), project);
            unload(former.get());
            return served;
        }
    }

    /** Takes an adapter out of memory, where it is there; answers that run end with it. */
    private void unload(ServedModel served) {
        if (!served.adapter().isEmpty()) {
            model.deleteAdapter(served.adapter());
        }
    }

    /** Whether a name is that of a model of the start or of what was tuned here, not of an adapter that was added. */
    public boolean isOwn(String name) {
        return isBase(name) || further.containsKey(name) || store.models().find(baseName, name).isPresent();
    }

    private ServedModel load(String name, Path folder, long created, Optional<String> project) {
        String adapter = "a" + ++number;
        open(folder, verified -> model.loadAdapter(adapter, verified));
        long size = model.adapter(adapter).tensors().filter(tensor -> !tensor.isPartOfBase())
                .mapToLong(AdapterTensor::bytes).sum();
        ServedModel served = new ServedModel(name, adapter, created, OWNER, project, Optional.of(folder));
        synchronized (this) {
            loaded.put(name, served);
            bytes.put(name, size);
            makeRoom();
        }
        return served;
    }

    /** Loads what lies in an adapter's folder: as its job left it, or as it was signed where it must be. */
    public <T> T open(Path folder, Function<Path, T> loading) {
        return trusted.isPresent() && !isOfJob(folder) ? trusted.get().load(folder, loading) : loading.apply(folder);
    }

    /** How many adapters are in memory. */
    public synchronized int adaptersInMemory() {
        return bytes.size();
    }

    private void makeRoom() {
        long all = bytes.values().stream().mapToLong(Long::longValue).sum();
        Iterator<Map.Entry<String, Long>> eldest = bytes.entrySet().iterator();
        while (bytes.size() > MOST_LOADED || all > MOST_BYTES && bytes.size() > FEWEST_LOADED) {
            Map.Entry<String, Long> leaving = eldest.next();
            all -= leaving.getValue();
            eldest.remove();
            loaded.computeIfPresent(leaving.getKey(), (name, served) -> {
                unload(served);
                return new ServedModel(name, "", served.created(), served.owner(), served.project(), served.folder());
            });
            LOG.debug("the adapter of {} leaves the memory until it is asked again", leaving.getKey());
        }
    }

    /**
     * Takes a model out; what it answers just now comes to its end.
     *
     * @return whether there was one, other than the base
     */
    public boolean remove(String name) {
        synchronized (loading) {
            if (isBase(name)) {
                return false;
            }
            Optional<StoredModel> row = store.models().find(baseName, name);
            boolean kept = store.models().delete(name);
            Optional<ServedModel> gone = forget(name);
            gone.ifPresent(this::unload);
            if (kept) {
                row.map(StoredModel::folder).map(store.folder()::resolve).ifPresent(AtomicFiles::deleteOrWarn);
            }
            return kept || gone.isPresent();
        }
    }

    private synchronized Optional<ServedModel> forget(String name) {
        bytes.remove(name);
        return Optional.ofNullable(loaded.remove(name));
    }

    /** The rule of {@link AdapterChoice}, here for requests that all name their model, as OpenAI's do. */
    private boolean isBase(String name) {
        return choice.isBase(name);
    }

    /**
     * The model of a name, ready to be asked; the base also by the ID or path that it was loaded from, and as {@value
     * PeftModel#BASE}.
     *
     * @throws io.peft4j.core.error.PeftException when its adapter was damaged since it was trained
     */
    public Optional<ServedModel> find(String name) {
        return find(name, Caller.LOCAL);
    }

    /** As {@link #find(String)}, for a caller who may not know of it. */
    public Optional<ServedModel> find(String name, Caller caller) {
        Optional<ServedModel> known = known(name, caller);
        if (known.filter(ServedModel::hasLeft).isEmpty()) {
            return known;
        }
        synchronized (loading) {
            // Another request may have loaded it.
            return known(name, caller).map(now -> now.hasLeft() ? load(name, now.folder().orElseThrow(), now.created(),
                    now.project()) : now);
        }
    }

    /** The model of a name, its adapter in memory or not. */
    private synchronized Optional<ServedModel> known(String name, Caller caller) {
        if (isShutDown(isBase(name) ? baseName : name)) {
            return Optional.empty();
        }
        if (isBase(name)) {
            return Optional.of(loaded.get(baseName));
        }
        if (further.containsKey(name)) {
            return Optional.of(beside(name));
        }
        ServedModel here = loaded.get(name);
        if (here != null && !here.isSeenBy(caller)) {
            return Optional.empty();
        }
        boolean ofJob = here == null || here.folder().filter(this::isOfJob).isPresent();
        // Other servers may have made or deleted it.
        Optional<StoredModel> kept = ofJob ? store.models().find(baseName, name) : Optional.empty();
        if (here == null) {
            return kept.filter(found -> caller.sees(found.project())).map(this::stored);
        }
        if (ofJob && kept.isEmpty()) {
            forget(name).ifPresent(this::unload);
            LOG.info("the model {} was deleted", name);
            return Optional.empty();
        }
        // It was asked last now.
        bytes.computeIfPresent(name, (key, size) -> size);
        return Optional.of(here);
    }

    private ServedModel stored(StoredModel kept) {
        return new ServedModel(kept.name(), "", kept.createdAt(), OWNER, Optional.of(kept.project()),
                Optional.of(store.folder().resolve(kept.folder())));
    }

    private boolean isOfJob(Path folder) {
        return folder.startsWith(store.folder().resolve("jobs"));
    }

    /**
     * All models that a caller may know of, the base first and those beside it last; without the checkpoints that jobs
     * have left on their way.
     */
    public synchronized List<ServedModel> all(Caller caller) {
        List<ServedModel> all = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (ServedModel here : loaded.values()) {
            if (here.folder().filter(this::isOfJob).isEmpty()) {
                all.add(here);
                names.add(here.name());
            }
        }
        for (StoredModel kept : store.models().list(baseName)) {
            if (names.add(kept.name())) {
                all.add(stored(kept));
            }
        }
        further.keySet().forEach(name -> all.add(beside(name)));
        all.removeIf(one -> isShutDown(one.name()) || !one.isSeenBy(caller));
        return all;
    }

    @Override
    public void close() {
        model.close();
    }
}
