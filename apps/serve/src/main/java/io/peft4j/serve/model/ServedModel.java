package io.peft4j.serve.model;

import io.peft4j.serve.http.Caller;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A model that clients can ask.
 *
 * @param name what clients call it
 * @param adapter the name of its adapter in {@link ServedModels#model}, or {@link
 *     io.peft4j.core.peft.PeftModel#BASE}; empty in lists, where it may not be loaded yet
 * @param created seconds since 1970
 * @param owner what {@code owned_by} says
 * @param project whose keys see it; empty where all do
 * @param folder where its adapter lies; empty for the base
 */
public record ServedModel(String name, String adapter, long created, String owner, Optional<String> project,
        Optional<Path> folder) {
    /** Whether its adapter is not in memory. */
    boolean hasLeft() {
        return adapter.isEmpty() && folder.isPresent();
    }

    /** Whether this caller may know of it. */
    public boolean isSeenBy(Caller caller) {
        return project.map(caller::sees).orElse(true);
    }
}
