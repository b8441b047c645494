package io.peft4j.langchain4j;

import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onCompleteResponse;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onCompleteToolCall;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onPartialResponse;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onPartialThinking;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.withLoggingExceptions;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.tool.AnswerReader;
import io.peft4j.models.PeftAdapters;
import io.peft4j.models.generation.ToolUse;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Function;

/**
 * As {@link PeftChatModel}, telling each piece of an answer as it is generated, and its calls of tools when it is
 * complete. A request returns at once and is answered by a thread of the executor, until its end or until a handler
 * cancels it.
 */
public final class PeftStreamingChatModel implements StreamingChatModel {
    private final Function<Optional<String>, LanguageModel> models;
    private final GenerationOptions options;
    private final Executor executor;
    private final List<ChatModelListener> listeners;

    /** Greedy answers of at most 256 tokens, by threads of the common pool. */
    public PeftStreamingChatModel(LanguageModel model) {
        this(model, GenerationOptions.defaults().withMaxNewTokens(256), ForkJoinPool.commonPool());
    }

    /** Answers with these options, where a request does not say otherwise, by threads of this executor. */
    public PeftStreamingChatModel(LanguageModel model, GenerationOptions options, Executor executor) {
        this(Requests.choosing(model), options, executor, List.of());
    }

    /** Answers by the adapters of a folder as they are when a request comes, otherwise as the other. */
    public PeftStreamingChatModel(PeftAdapters adapters, GenerationOptions options, Executor executor) {
        this(adapters::model, options, executor, List.of());
    }

    private PeftStreamingChatModel(Function<Optional<String>, LanguageModel> models, GenerationOptions options,
            Executor executor, List<ChatModelListener> listeners) {
        this.models = models;
        this.options = Objects.requireNonNull(options, "options");
        this.executor = Objects.requireNonNull(executor, "executor");
        this.listeners = List.copyOf(listeners);
    }

    @Override
    public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
        executor.execute(() -> {
            try {
                answer(request, handler, new Handle());
            } catch (RuntimeException e) {
                withLoggingExceptions(() -> handler.onError(e));
            }
        });
    }

    private void answer(ChatRequest request, StreamingChatResponseHandler handler, StreamingHandle handle) {
        LanguageModel chosen = Requests.model(request.modelName(), models);
        ToolUse.Asked asked = Requests.ask(request, chosen, options);
        ToolUse.Growing text = new ToolUse.Growing(asked.use());
        Completion whole = chosen.generate(List.of(asked.prompt()), asked.options().withListener((index, piece) -> {
            tell(handler, handle, text.accept(piece));
            return !handle.isCancelled();
        })).get(0);
        if (handle.isCancelled()) {
            return;
        }
        tell(handler, handle, text.finish(whole.text()));
        ChatResponse response = Requests.response(request, chosen, text.answer(whole.text()), whole);
        List<ToolExecutionRequest> calls = response.aiMessage().toolExecutionRequests();
        for (int i = 0; i < calls.size(); i++) {
            onCompleteToolCall(handler, new CompleteToolCall(i, calls.get(i)));
        }
        onCompleteResponse(handler, response);
    }

    /** Passes an error of the handler to it; the answer continues. */
    private static void tell(StreamingChatResponseHandler handler, StreamingHandle handle, AnswerReader.Piece piece) {
        onPartialThinking(handler, piece.reasoning(), handle);
        onPartialResponse(handler, piece.content(), handle);
    }

    /** Ends an answer after the token that is computed. */
    private static final class Handle implements StreamingHandle {
        private volatile boolean cancelled;

        @Override
        public void cancel() {
            cancelled = true;
        }

        @Override
        public boolean isCancelled() {
            return cancelled;
        }
    }

    @Override
    public ChatRequestParameters defaultRequestParameters() {
        return Requests.parameters(options);
    }

    /** As this one, telling these of requests, responses and errors. */
    public PeftStreamingChatModel withListeners(List<ChatModelListener> those) {
        return new PeftStreamingChatModel(models, options, executor, those);
    }

    @Override
    public List<ChatModelListener> listeners() {
        return listeners;
    }

    @Override
    public Set<Capability> supportedCapabilities() {
        return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
    }
}
