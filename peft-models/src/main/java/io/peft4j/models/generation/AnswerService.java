package io.peft4j.models.generation;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.peft.PeftModel;
import java.time.Duration;
import java.util.Optional;

/**
 * Answers requests of many clients at once, to a base model and to any of its adapters.
 *
 * <pre>{@code
 * try (AnswerService service = AnswerService.open(model, AnswerServiceOptions.defaults())) {
 *     PendingAnswer pending = service.submit(AnswerRequest.of(prompt).withAdapter("hr"));
 *     System.out.println(pending.completions().join().get(0).text());
 * }
 * }</pre>
 *
 * <p>Requests join and leave one batch at every token, the base and all adapters in it; adapters that cannot share a
 * batch, such as those with virtual tokens, run in passes of their own. Long prompts are computed in parts between the
 * tokens of others, and beginnings that come again are not computed again. Adapters may be added, swapped and deleted
 * meanwhile: a request is answered by the adapter that had its name when it was submitted.
 *
 * <p>Every answer is the one that is given alone: sampling, penalties, constraints and seed are its own. The rounding
 * of a product may differ with the number of rows, which does not change a token unless two were equally likely to
 * within that rounding.
 *
 * <p>For use by any number of threads. The model is not closed with the service.
 */
@Internal(shared = true)
public final class AnswerService implements AutoCloseable {
    private final RequestIntake intake;

    private AnswerService(Optional<PeftModel> adapters, BaseLanguageModel base, AnswerServiceOptions options) {
        this.intake = new RequestIntake(base, adapters, options);
    }

    /**
     * A service for a base model and its adapters, those that come later among them.
     *
     * @throws ConfigurationException when the model does not predict tokens, or the cache has no room
     */
    public static AnswerService open(PeftModel model, AnswerServiceOptions options) {
        return new AnswerService(Optional.of(model), model.base(), options);
    }

    /**
     * A service for a base model alone.
     *
     * @throws ConfigurationException when the model does not predict tokens, or the cache has no room
     */
    public static AnswerService open(BaseLanguageModel model, AnswerServiceOptions options) {
        return new AnswerService(Optional.empty(), model, options);
    }

    /**
     * Takes a request. Returns as soon as the prompt is encoded.
     *
     * @throws OverloadedException when too many wait already
     * @throws ConfigurationException when the adapter does not exist, the prompt is too long or cannot be rendered, or
     *     the options do not fit the model
     * @throws ClosedException when the service or the model is closed
     */
    public PendingAnswer submit(AnswerRequest request) {
        return intake.submit(request);
    }

    /**
     * The tokens that a prompt and its answer may have together.
     *
     * @param adapter the name of the adapter that answers, or {@link PeftModel#BASE}
     * @throws ConfigurationException when there is none of that name
     */
    public int mostTokens(String adapter) {
        return intake.mostTokens(adapter);
    }

    /** What it does now and has done. */
    public AnswerStatus status() {
        return intake.status();
    }

    /**
     * Why answers do not come: the thread that makes them has ended, or for a minute no answer has grown. Empty where
     * they do, or no one waits for one.
     *
     * @param now the time by the clock of {@link System#nanoTime}
     */
    public Optional<String> problem(long now) {
        return intake.problem(now);
    }

    /**
     * Waits until nothing runs and nothing waits.
     *
     * @return whether that came true in time
     */
    public boolean awaitIdle(Duration most) throws InterruptedException {
        return intake.awaitIdle(most);
    }

    /** Refuses new requests, ends all others with a {@link ClosedException}, and frees its memory. */
    @Override
    public void close() {
        intake.close();
    }

    /**
     * What an {@link AnswerService} does and has done.
     *
     * @param running answers that grow
     * @param waiting requests that wait
     * @param cacheRows tokens whose keys and values there is room for
     * @param usedCacheRows of these, those that answers hold now
     * @param keptCacheRows of these, those of earlier prompts, kept until there is a need for the room
     * @param promptTokens tokens of prompts so far
     * @param reusedTokens of these, those whose keys and values were there already
     * @param newTokens tokens of answers so far
     */
    public record AnswerStatus(int running, int waiting, int cacheRows, int usedCacheRows, int keptCacheRows,
            long promptTokens, long reusedTokens, long newTokens) {
    }
}
