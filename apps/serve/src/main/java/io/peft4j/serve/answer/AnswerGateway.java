package io.peft4j.serve.answer;

import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.NonFiniteException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.AnswerRequest;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerTimeoutException;
import io.peft4j.models.generation.OverloadedException;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.serve.api.ModelRoutes;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Endpoint;
import io.peft4j.serve.model.ServedModel;
import io.peft4j.serve.model.ServedModels;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Asks the models, and says in OpenAI's words what goes wrong. */
final class AnswerGateway {
    /** How often the connection of the client is checked. */
    private static final long LOOK_MILLIS = 100;

    private final Optional<AnswerService> service;
    private final ServedModels models;
    private final int mostAnswers;
    private final Duration timeout;
    private final ReplyParts replies;
    private final AnswerLog log;

    /**
     * Answers of the models.
     *
     * @param service empty where none of them answers
     * @param mostAnswers how many answers a prompt may have
     * @param timeout the most time for an answer
     * @param log follows all answers
     */
    public AnswerGateway(Optional<AnswerService> service, ServedModels models, int mostAnswers, Duration timeout,
            AnswerLog log) {
        this.log = log;
        this.service = service;
        this.models = models;
        this.mostAnswers = mostAnswers;
        this.timeout = timeout;
        this.replies = new ReplyParts(models.base().tokenizer(), models.base().stopTokens());
    }

    ServedModels models() {
        return models;
    }

    ServedModel model(String name, Caller caller) {
        return ModelRoutes.answering(models, name, caller);
    }

    ReplyParts replies() {
        return replies;
    }

    /** There where a model was found. */
    private AnswerService service() {
        return service.orElseThrow();
    }

    /** The tokens that a prompt to a model and its answer may have together. */
    int mostTokens(ServedModel model, Caller caller) {
        try {
            return service().mostTokens(model.adapter());
        } catch (ConfigurationException e) {
            return mostTokens(reloaded(model).orElseThrow(() -> gone(model, caller, e)), caller);
        }
    }

    /** Submits a request; its tokens count against the limits of the caller. */
    PendingAnswer submit(ServedModel model, int[] prompt, GenerationOptions options, Caller caller,
            AnswerListener listener) {
        if (options.answers() > mostAnswers) {
            throw ApiException.invalid("n", "'n' may be at most " + mostAnswers + ", since so many answers grow at "
                    + "once; got " + options.answers());
        }
        int vocabulary = models.base().network().description().vocabularySize();
        options.sampling().logitBias().keySet().stream().filter(token -> token >= vocabulary).findFirst()
                .ifPresent(token -> {
                    throw ApiException.invalid("logit_bias", "'logit_bias' has token " + token
                            + ", which is not one of the vocabulary's " + vocabulary);
                });
        try {
            PendingAnswer pending = service().submit(AnswerRequest.of(Prompt.tokens(prompt))
                    .withAdapter(model.adapter()).withOptions(options).withClient(caller.id()).withTimeout(timeout)
                    .withListener(listener));
            log.follow(model, pending);
            caller.used(prompt.length);
            pending.completions().thenAccept(answered -> caller.used(answered.stream()
                    .mapToInt(each -> each.ids().length).sum()));
            return pending;
        } catch (ConfigurationException e) {
            return submit(reloaded(model).orElseThrow(() -> gone(model, caller, e)), prompt, options, caller, listener);
        } catch (RuntimeException e) {
            throw error(e);
        }
    }

    /** The model, where its adapter has left the memory since it was found. */
    private Optional<ServedModel> reloaded(ServedModel model) {
        return models.find(model.name()).filter(now -> !now.adapter().equals(model.adapter()));
    }

    /** A model may have been taken out since it was found. */
    private ApiException gone(ServedModel model, Caller caller, ConfigurationException e) {
        return models.find(model.name()).isEmpty() ? ModelRoutes.noSuchModel(models, model.name(), caller)
                : ApiException.invalid(e.getMessage());
    }

    /** Waits for the answers, and ends them when the client has gone away. */
    static List<Completion> await(PendingAnswer pending, Endpoint.Asker asker) {
        asker.leave().run();
        try {
            while (true) {
                try {
                    return pending.completions().get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
                } catch (TimeoutException e) {
                    if (asker.gone().getAsBoolean()) {
                        pending.cancel();
                        throw ApiException.clientClosed();
                    }
                }
            }
        } catch (InterruptedException e) {
            pending.cancel();
            Thread.currentThread().interrupt();
            throw ApiException.unavailable("the server is stopping");
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException reason ? error(reason) : new IllegalStateException(e);
        }
    }

    /** The error for a client. */
    static RuntimeException error(RuntimeException reason) {
        if (reason instanceof OverloadedException overloaded) {
            return ApiException.tooMany("rate_limit_exceeded", reason.getMessage(),
                    (int) overloaded.retryAfter().toSeconds());
        }
        if (reason instanceof AnswerTimeoutException) {
            return ApiException.of(504, "server_error", "timeout", null, reason.getMessage());
        }
        if (reason instanceof ClosedException) {
            return ApiException.unavailable("the server is stopping");
        }
        if (reason instanceof NonFiniteException) {
            return ApiException.of(500, "server_error", "non_finite_output", "model", reason.getMessage());
        }
        return reason instanceof ConfigurationException ? ApiException.invalid(reason.getMessage()) : reason;
    }
}
