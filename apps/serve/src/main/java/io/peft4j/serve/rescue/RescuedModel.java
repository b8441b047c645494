package io.peft4j.serve.rescue;

import io.peft4j.core.Internal;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What became of a tuned model.
 *
 * @param model the model
 * @param rows rows of its training data; 0 where they could not be had
 * @param answers answers of it that were recorded
 * @param adapter the folder of the adapter that was trained in its place
 * @param comparison old and new model on the same questions
 * @param assertions how many of the assertions the new model passes, where some were given
 * @param merged what was written of it besides, where that was asked for
 * @param faults what could not be had or done
 */
public record RescuedModel(@Internal TunedModel model, int rows, int answers, Optional<Path> adapter,
        @Internal Optional<ModelComparison> comparison, @Internal Optional<Assertions.Outcome> assertions,
        Optional<Merged> merged, List<String> faults) {
    /**
     * A merged file.
     *
     * @param file the GGUF file; empty where it was refused
     * @param told what was proved of it, or why it was refused; may be empty
     */
    public record Merged(Optional<Path> file, String told) {
    }

    /** Copies the list. */
    public RescuedModel {
        Objects.requireNonNull(model, "model");
        faults = List.copyOf(faults);
    }

    /** Whether its data and its answers are here, and nothing was refused. */
    public boolean isFetched() {
        return answers > 0 && faults.isEmpty();
    }

    /** Whether a model takes its place, passes the assertions, and was merged where that was asked for. */
    public boolean isRescued() {
        return adapter.isPresent() && assertions.map(outcome -> outcome.failures().isEmpty()).orElse(true)
                && merged.map(one -> one.file().isPresent()).orElse(true);
    }
}
