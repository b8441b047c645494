package io.peft4j.serve.model;

import io.peft4j.core.model.LanguageModel;
import java.util.Optional;

/**
 * A model that answers typed questions.
 *
 * @param model the model
 * @param adapter the name of its adapter in {@link ServedModels#model}, or {@link
 *     io.peft4j.core.peft.PeftModel#BASE}; empty for a model beside the base
 */
public record Decider(LanguageModel model, Optional<String> adapter) {
}
