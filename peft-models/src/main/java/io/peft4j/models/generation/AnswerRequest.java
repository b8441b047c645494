package io.peft4j.models.generation;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationListener;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.option.With;
import io.peft4j.core.peft.PeftModel;
import java.time.Duration;
import java.util.Optional;

/**
 * A request to an {@link AnswerService}.
 *
 * @param prompt the prompt
 * @param adapter the name of the adapter that answers, or {@link PeftModel#BASE}, the default
 * @param options how the answers are generated. The number of answers, limits, sampling, stop strings, constraint and
 *     log-probabilities are those of the request alone; its batch size is of no meaning here
 * @param client who asks: clients get rows in turn, whatever each of them asks for; default the empty name
 * @param timeout the time from now until the last answer must be complete; default none
 * @param listener follows the answers
 */
@Internal(shared = true)
@With
public record AnswerRequest(Prompt prompt, String adapter, GenerationOptions options, String client,
        Optional<Duration> timeout, AnswerListener listener) implements AnswerRequestWith {
    /** Refuses null, and what a request cannot have. */
    public AnswerRequest {
        AnswerRequestWith.check(prompt, adapter, options, client, timeout, listener);
        if (options.listener() != GenerationListener.NONE) {
            throw new ConfigurationException("use AnswerRequest.withListener instead of "
                    + "GenerationOptions.withListener");
        }
        if (timeout.filter(time -> time.isNegative() || time.isZero()).isPresent()) {
            throw new ConfigurationException("the timeout must be above 0, got " + timeout.get());
        }
    }

    /** A request to the base model with the default options. */
    public static AnswerRequest of(Prompt prompt) {
        return new AnswerRequest(prompt, PeftModel.BASE, GenerationOptions.defaults(), "", Optional.empty(),
                AnswerListener.NONE);
    }
}
