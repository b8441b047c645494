package io.peft4j.cli;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.function.ToIntFunction;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A base model, as it is or with an adapter. */
final class AdaptedModelOptions {
    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    private String model;

    @Option(names = "--adapter", paramLabel = "DIR", description = "An adapter on it.")
    private Path adapter;

    @Mixin
    private EngineOptions engine;

    /** Loads the model, does something with it, and frees it. */
    int with(Console console, ToIntFunction<LanguageModel> action) {
        try (BaseModel base = engine.load(model, console)) {
            engine.sayIfQuantized(base, console);
            if (adapter == null) {
                return action.applyAsInt(base);
            }
            try (PeftModel adapted = base.withAdapter(adapter)) {
                return action.applyAsInt(adapted);
            }
        }
    }
}
