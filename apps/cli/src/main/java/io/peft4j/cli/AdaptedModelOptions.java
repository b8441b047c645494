package io.peft4j.cli;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterTask;
import io.peft4j.models.BaseModel;
import io.peft4j.models.architecture.SentencePooling;
import io.peft4j.models.hub.ModelSource;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.ToIntBiFunction;
import java.util.function.ToIntFunction;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A base model, as it is or with an adapter. */
@HelpGroup(HelpGroup.DATA)
final class AdaptedModelOptions {
    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    private String model;

    @Option(names = "--adapter", paramLabel = "DIR", description = "An adapter to apply to it.")
    private Path adapter;

    @Mixin
    private EngineOptions engine;

    private Optional<Task> task = Optional.empty();
    private boolean decides;

    /** The threads that the model runs with. */
    int threads() {
        return engine.threads();
    }

    /** The same for a model that is loaded for a task, whatever its own is. */
    AdaptedModelOptions forTask(Task wanted) {
        task = Optional.of(wanted);
        return this;
    }

    /**
     * The same for typed questions: with the adapter that the model's {@code decision.json} names, where no other is
     * given, and for {@link Task#DECISION} where it is an embedder, whose folder says that it makes vectors.
     */
    AdaptedModelOptions forDecisions() {
        decides = true;
        return this;
    }

    /** Loads the model, does something with it, and frees it. */
    int with(Console console, ToIntFunction<LanguageModel> action) {
        return with(console, (loaded, base) -> action.applyAsInt(loaded));
    }

    /** As {@link #with(Console, ToIntFunction)}, for an action that also wants the base model. */
    int with(Console console, ToIntBiFunction<LanguageModel, BaseModel> action) {
        Optional<Task> wanted = task.or(() -> Optional.ofNullable(adapter).flatMap(AdapterTask::read));
        try (BaseModel base = adapter == null ? engine.load(model, console, source -> wanted.or(() -> own(source)))
                : engine.loadFor(model, adapter, console, wanted)) {
            engine.sayIfQuantized(base, console);
            Optional<Path> used = Optional.ofNullable(adapter)
                    .or(() -> decides ? base.ownAdapter() : Optional.empty());
            if (used.isEmpty()) {
                return action.applyAsInt(base, base);
            }
            try (PeftModel adapted = base.withAdapter(used.get())) {
                return action.applyAsInt(adapted, base);
            }
        }
    }

    private Optional<Task> own(ModelSource source) {
        return decides && SentencePooling.isOfVectors(source.path()) ? Optional.of(Task.DECISION) : Optional.empty();
    }
}
