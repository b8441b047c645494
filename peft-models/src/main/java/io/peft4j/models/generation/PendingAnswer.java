package io.peft4j.models.generation;

import io.peft4j.core.Internal;
import io.peft4j.core.model.Completion;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A request that an {@link AnswerService} has accepted. */
@Internal(shared = true)
public interface PendingAnswer {
    /**
     * The answers, as many as were asked for, once all are complete and told to the listener. It fails with
     * {@link AnswerTimeoutException}, with {@link io.peft4j.core.error.ClosedException} when the service or the model
     * is closed, and with what the listener threw. Cancelling this future cancels the request.
     */
    CompletableFuture<List<Completion>> completions();

    /**
     * Ends the request: its rows are free before the next token. Answers that are not complete end as they are, with
     * {@link Completion.StopReason#CANCELLED}. Does nothing once all are complete.
     */
    void cancel();

    /** The tokens of the prompt. */
    int promptTokens();

    /** Where the time went; there once {@link #completions} are, or have failed. */
    Optional<AnswerTimings> timings();

    /** Of these, those whose keys and values were there already when the prompt was computed; 0 before. */
    int reusedTokens();
}
