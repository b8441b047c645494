package io.peft4j.serve.model.internal;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The base model and the adapters on it, by the names that clients use. Names may hold what names of adapters may not
 * ({@code ft:base:org::id}), so each adapter has a name of its own inside.
 */
public final class ServedModels implements AutoCloseable {
    private final BaseModel base;
    private final String baseName;
    private final PeftModel model;
    private final Clock clock;
    private final Map<String, ServedModel> models = new LinkedHashMap<>();
    private long loaded;

    /**
     * The base alone.
     *
     * @param base stays the caller's
     * @param baseName what clients call it
     */
    public ServedModels(BaseModel base, String baseName, Clock clock) {
        this.base = base;
        this.baseName = baseName;
        this.model = new PeftModel(base);
        this.clock = clock;
        models.put(baseName, new ServedModel(baseName, PeftModel.BASE, clock.instant().getEpochSecond(), "peft4j",
                Optional.empty()));
    }

    /** The base model. */
    public BaseModel base() {
        return base;
    }

    /** What clients call the base. */
    public String baseName() {
        return baseName;
    }

    /** The base with all adapters that answer. */
    public PeftModel model() {
        return model;
    }

    /**
     * Loads an adapter from a folder, so that it answers under the name.
     *
     * @throws ConfigurationException when the name is taken
     * @throws io.peft4j.core.error.PeftException when the adapter is damaged or does not fit
     */
    public synchronized ServedModel add(String name, Path folder, String owner) {
        if (models.containsKey(name)) {
            throw new ConfigurationException("there is a model '" + name + "' already");
        }
        String adapter = "a" + ++loaded;
        model.loadAdapter(adapter, folder);
        ServedModel served = new ServedModel(name, adapter, clock.instant().getEpochSecond(), owner,
                Optional.of(folder));
        models.put(name, served);
        return served;
    }

    /**
     * Takes a model out; what it answers just now comes to its end.
     *
     * @return whether there was one, other than the base
     */
    public synchronized boolean remove(String name) {
        if (name.equals(baseName)) {
            return false;
        }
        ServedModel gone = models.remove(name);
        if (gone == null) {
            return false;
        }
        model.deleteAdapter(gone.adapter());
        return true;
    }

    /** The model of a name, if there is one; the base also by the ID or path that it was loaded from. */
    public synchronized Optional<ServedModel> find(String name) {
        return Optional.ofNullable(models.get(name.equals(base.network().description().name()) ? baseName : name));
    }

    /** All, the base first. */
    public synchronized List<ServedModel> all() {
        return new ArrayList<>(models.values());
    }

    @Override
    public void close() {
        model.close();
    }
}
