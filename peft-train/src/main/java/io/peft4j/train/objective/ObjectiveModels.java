package io.peft4j.train.objective;

import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Function;

/** The model that an objective is for, and others that it asks for: those are open until this is closed. */
public final class ObjectiveModels implements AutoCloseable {
    private final PeftModel trained;
    private final Function<String, ? extends BaseLanguageModel> loader;
    private final Deque<Runnable> opened = new ArrayDeque<>();

    /**
     * Models of a training.
     *
     * @param trained the model that is trained
     * @param loader loads another one by its reference
     */
    public ObjectiveModels(PeftModel trained, Function<String, ? extends BaseLanguageModel> loader) {
        this.trained = trained;
        this.loader = loader;
    }

    /** The model that is trained. */
    public PeftModel trained() {
        return trained;
    }

    /**
     * Another model.
     *
     * @param reference what is loaded; empty: the base of the one that is trained
     * @param adapter an adapter on it
     * @throws io.peft4j.core.error.PeftException when one of them cannot be loaded
     */
    public LanguageModel open(Optional<String> reference, Optional<Path> adapter) {
        BaseLanguageModel base = trained.base();
        if (reference.isPresent()) {
            base = loader.apply(reference.get());
            opened.push(base::close);
        }
        if (adapter.isEmpty()) {
            return base;
        }
        PeftModel tuned = PeftModel.load(base, adapter.get());
        opened.push(tuned::close);
        return tuned;
    }

    @Override
    public void close() {
        while (!opened.isEmpty()) {
            opened.pop().run();
        }
    }
}
