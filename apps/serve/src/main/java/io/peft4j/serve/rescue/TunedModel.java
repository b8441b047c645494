package io.peft4j.serve.rescue;

import io.peft4j.core.Internal;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A tuned model of a service, and what it was made from.
 *
 * @param name its name, for instance {@code ft:gpt-4o-mini:acme:hr:9abcDEFG}
 * @param base the model that was tuned
 * @param job the job that made it, where the service still lists it
 * @param trainingFile the file that it learned
 * @param validationFile the file that its training was measured on
 * @param method {@code supervised}, {@code dpo} or another
 * @param epochs passes over the data, where that is known
 * @param batchSize examples an update, where that is known
 * @param learningRateMultiplier factor on the service's learning rate, where that is known
 * @param shutdown when the service stops it, in seconds since 1970, where it says so
 */
@Internal(shared = true)
public record TunedModel(String name, String base, Optional<String> job, Optional<String> trainingFile,
        Optional<String> validationFile, String method, Optional<Integer> epochs, Optional<Integer> batchSize,
        Optional<Double> learningRateMultiplier, OptionalLong shutdown) {
    /** The days that are left until the service stops it; negative where that is past. */
    public OptionalLong daysLeft(Instant now) {
        return shutdown.isEmpty() ? OptionalLong.empty()
                : OptionalLong.of(ChronoUnit.DAYS.between(now, Instant.ofEpochSecond(shutdown.getAsLong())));
    }

    /** A name for a folder. */
    String folder() {
        return name.replaceAll("[^A-Za-z0-9._-]", "_");
    }
}
