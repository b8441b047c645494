package io.peft4j.spark;

import io.peft4j.core.error.PeftException;
import java.io.Serializable;
import java.util.Optional;

/**
 * What a task came to. A failure that would come again is returned in this way, so that Spark does not try it again.
 *
 * @param rank the number of the worker
 * @param result of the first worker that succeeded; null otherwise, since an Optional is not serializable
 * @param failure what went wrong; null where nothing did
 */
record TaskOutcome(int rank, SparkTrainingResult result, PeftException failure) implements Serializable {
    Optional<SparkTrainingResult> succeeded() {
        return Optional.ofNullable(result);
    }

    Optional<PeftException> failed() {
        return Optional.ofNullable(failure);
    }
}
