package io.peft4j.models.generation;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationListener;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.peft.PeftModel;
import java.time.Duration;
import java.util.Objects;
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
public record AnswerRequest(Prompt prompt, String adapter, GenerationOptions options, String client,
        Optional<Duration> timeout, AnswerListener listener) {
    /** Refuses null, and what a request cannot have. */
    public AnswerRequest {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(adapter, "adapter");
        Objects.requireNonNull(options, "options");
        Objects.requireNonNull(client, "client");
        Objects.requireNonNull(timeout, "timeout");
        Objects.requireNonNull(listener, "listener");
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

    /** The same to an adapter, or to {@link PeftModel#BASE}. */
    public AnswerRequest withAdapter(String name) {
        return new AnswerRequest(prompt, name, options, client, timeout, listener);
    }

    /** The same with other options. */
    public AnswerRequest withOptions(GenerationOptions newOptions) {
        return new AnswerRequest(prompt, adapter, newOptions, client, timeout, listener);
    }

    /** The same from a client. */
    public AnswerRequest withClient(String id) {
        return new AnswerRequest(prompt, adapter, options, id, timeout, listener);
    }

    /** The same with so much time. */
    public AnswerRequest withTimeout(Duration time) {
        return new AnswerRequest(prompt, adapter, options, client, Optional.of(time), listener);
    }

    /** The same with a listener. */
    public AnswerRequest withListener(AnswerListener newListener) {
        return new AnswerRequest(prompt, adapter, options, client, timeout, newListener);
    }
}
