package io.peft4j.spark.internal;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.NearNames;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerServiceOptions;
import java.util.HashMap;
import java.util.Map;

/** A base model with adapters, for all tasks of a JVM. */
public final class LoadedModel implements AutoCloseable {
    /** Tasks hold themselves back: each has a bounded number of requests under way. */
    private static final int UNBOUNDED = 1 << 20;

    private final SharedThings<ModelRecipe, BaseModel>.Lease base;
    private final PeftModel model;
    /** By the number of answers that grow at once. */
    private final Map<Integer, AnswerService> services = new HashMap<>();

    LoadedModel(SharedThings<ModelRecipe, BaseModel>.Lease base, Map<String, String> adapters) {
        this.base = base;
        this.model = new PeftModel(base.value());
        boolean complete = false;
        try {
            adapters.forEach((name, folder) -> model.loadAdapter(name, LocalFiles.folder(folder)));
            model.activate();
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    /**
     * The model with one of its adapters.
     *
     * @param adapter its name, or {@link PeftModel#BASE}
     * @throws ConfigurationException when there is none of that name
     */
    public LanguageModel with(String adapter) {
        requireKnown(adapter);
        return adapter.equals(PeftModel.BASE) ? model.with() : model.with(adapter);
    }

    /**
     * Checks a name.
     *
     * @throws ConfigurationException when there is no adapter of that name
     */
    public void requireKnown(String adapter) {
        if (!adapter.equals(PeftModel.BASE) && !model.adapterNames().contains(adapter)) {
            throw new ConfigurationException("unknown adapter '" + adapter + "'; "
                    + NearNames.sentence(adapter, model.adapterNames()));
        }
    }

    /** What answers the requests of all tasks in one batch of so many rows at most. */
    public synchronized AnswerService answers(int rows) {
        return services.computeIfAbsent(rows, count -> AnswerService.open(model,
                AnswerServiceOptions.defaults().withRows(count).withWaiting(UNBOUNDED, UNBOUNDED)));
    }

    @Override
    public synchronized void close() {
        services.values().forEach(AnswerService::close);
        model.close();
        base.close();
    }
}
