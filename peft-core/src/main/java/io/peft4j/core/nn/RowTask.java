package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import java.util.Optional;

/**
 * The task that adapters with several compute a row as.
 *
 * @param number from 0; {@link TokenSequence#NO_TASK} where no adapter has tasks. 0, which all of them have, where the
 *     row is refused
 * @param refusal why, as the rest of a sentence about the row
 */
@Internal(shared = true)
public record RowTask(int number, Optional<String> refusal) {
    /** No adapter has tasks. */
    public static final RowTask NONE = of(TokenSequence.NO_TASK);

    /** A task that there is. */
    public static RowTask of(int number) {
        return new RowTask(number, Optional.empty());
    }

    /** A row that is refused. */
    public static RowTask refused(String why) {
        return new RowTask(0, Optional.of(why));
    }

    /** This or that of another adapter for the same row: a refusal, else the one that is a task. */
    public RowTask or(RowTask other) {
        return refusal.isPresent() || other.refusal.isEmpty() && number >= other.number ? this : other;
    }

    /**
     * The number.
     *
     * @throws ConfigurationException when the row is refused
     */
    public int required() {
        refusal.ifPresent(why -> {
            throw new ConfigurationException("a row " + why);
        });
        return number;
    }
}
