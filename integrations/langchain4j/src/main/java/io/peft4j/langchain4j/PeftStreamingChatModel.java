package io.peft4j.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.tool.AnswerReader;
import io.peft4j.models.generation.ToolUse;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Supplier;

/**
 * As {@link PeftChatModel}, telling each piece of an answer as it is generated, and its calls of tools when it is
 * complete. A request returns at once and is answered by a thread of the executor.
 */
public final class PeftStreamingChatModel implements StreamingChatModel {
    private final LanguageModel model;
    private final GenerationOptions options;
    private final Executor executor;
    private final List<ChatModelListener> listeners;

    /** Greedy answers of at most 256 tokens, by threads of the common pool. */
    public PeftStreamingChatModel(LanguageModel model) {
        this(model, GenerationOptions.defaults().withMaxNewTokens(256), ForkJoinPool.commonPool());
    }

    /** Answers with these options, where a request does not say otherwise, by threads of this executor. */
    public PeftStreamingChatModel(LanguageModel model, GenerationOptions options, Executor executor) {
        this(model, options, executor, List.of());
    }

    private PeftStreamingChatModel(LanguageModel model, GenerationOptions options, Executor executor,
            List<ChatModelListener> listeners) {
        this.model = Objects.requireNonNull(model, "model");
        this.options = Objects.requireNonNull(options, "options");
        this.executor = Objects.requireNonNull(executor, "executor");
        this.listeners = List.copyOf(listeners);
    }

    @Override
    public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
        executor.execute(() -> answer(handler, () -> answered(request, handler)));
    }

    private ChatResponse answered(ChatRequest request, StreamingChatResponseHandler handler) {
        LanguageModel chosen = Requests.model(request, model);
        ToolUse.Asked asked = Requests.ask(request, chosen, options);
        ToolUse.Growing text = new ToolUse.Growing(asked.use());
        Completion whole = chosen.generate(List.of(asked.prompt()), asked.options().withListener((index, piece) -> {
            tell(handler, text.accept(piece));
            return true;
        })).get(0);
        tell(handler, text.finish(whole.text()));
        ChatResponse response = Requests.response(request, model, asked.use(), whole);
        List<ToolExecutionRequest> calls = response.aiMessage().toolExecutionRequests();
        for (int i = 0; i < calls.size(); i++) {
            handler.onCompleteToolCall(new CompleteToolCall(i, calls.get(i)));
        }
        return response;
    }

    private static void tell(StreamingChatResponseHandler handler, AnswerReader.Piece piece) {
        if (!piece.reasoning().isEmpty()) {
            handler.onPartialThinking(new PartialThinking(piece.reasoning()));
        }
        if (!piece.content().isEmpty()) {
            handler.onPartialResponse(piece.content());
        }
    }

    private static void answer(StreamingChatResponseHandler handler, Supplier<ChatResponse> answering) {
        ChatResponse response;
        try {
            response = answering.get();
        } catch (RuntimeException e) {
            handler.onError(e);
            return;
        }
        handler.onCompleteResponse(response);
    }

    /** As this one, telling these of requests, responses and errors. */
    public PeftStreamingChatModel withListeners(List<ChatModelListener> those) {
        return new PeftStreamingChatModel(model, options, executor, those);
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
