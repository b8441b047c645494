package io.peft4j.spark;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.io.Closer;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.peft.AdapterLease;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/** A base model with adapters, for all tasks of a JVM. */
final class LoadedModel implements AutoCloseable {
    private final RefCountedCache<ModelRecipe, BaseModel>.Lease base;
    private final PeftModel model;
    private final Closer owned;
    /** Adapters that share no batch with others. */
    private final Set<String> alone = new TreeSet<>();
    /** Tasks that answer take turns: answers of two at once would need more memory and be no faster. */
    private final Semaphore semaphore = new Semaphore(1, true);

    LoadedModel(Supplier<RefCountedCache<ModelRecipe, BaseModel>.Lease> lease, Map<String, String> adapters) {
        try (Closer opened = new Closer()) {
            this.base = opened.add(lease.get());
            this.model = opened.add(new PeftModel(base.value()));
            adapters.forEach((name, folder) -> model.loadAdapter(name, LocalFiles.folder(folder)));
            model.activate();
            adapters.keySet().stream().filter(this::isAlone).forEach(alone::add);
            this.owned = opened.keep();
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
                    + SimilarNames.sentence(adapter, model.adapterNames()));
        }
    }

    /**
     * A prompt as token ids.
     *
     * @throws ConfigurationException when there is no such adapter, or the prompt leaves no room for an answer
     */
    Prompt encode(String adapter, Prompt prompt) {
        try (ModelLease lease = with(adapter).lease()) {
            return Prompt.tokens(base.value().encode(lease, prompt)).inTask(prompt.task());
        }
    }

    /**
     * Answers prompts; those of different adapters in one batch, where these can share one.
     *
     * @param adapters the adapter of each prompt, all known
     * @throws InterruptedException when the thread is interrupted while others compute
     */
    List<Completion> generate(List<Prompt> prompts, List<String> adapters, GenerationOptions options)
            throws InterruptedException {
        Map<String, List<Integer>> together = new LinkedHashMap<>();
        for (int i = 0; i < adapters.size(); i++) {
            String group = alone.contains(adapters.get(i)) ? adapters.get(i) : PeftModel.BASE;
            together.computeIfAbsent(group, name -> new ArrayList<>()).add(i);
        }
        Completion[] answers = new Completion[prompts.size()];
        semaphore.acquire();
        try {
            for (List<Integer> places : together.values()) {
                List<Completion> found = generateTogether(places.stream().map(prompts::get).toList(),
                        places.stream().map(adapters::get).toList(), options);
                for (int i = 0; i < places.size(); i++) {
                    answers[places.get(i)] = found.get(i);
                }
            }
        } finally {
            semaphore.release();
        }
        return Arrays.asList(answers);
    }

    private List<Completion> generateTogether(List<Prompt> prompts, List<String> adapters,
            GenerationOptions options) {
        return adapters.stream().distinct().count() == 1 ? with(adapters.get(0)).generate(prompts, options)
                : model.generate(prompts, adapters, options);
    }

    private boolean isAlone(String adapter) {
        try (AdapterLease lease = model.leaseAdapter(adapter)) {
            return lease.mixingObstacle().isPresent();
        }
    }

    @Override
    public void close() {
        owned.close();
    }
}
