package io.peft4j.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Supplier;

/**
 * As {@link PeftChatModel}, telling each piece of an answer as it is generated. A request returns at once and is
 * answered by a thread of the executor.
 */
public final class PeftStreamingChatModel implements StreamingChatModel {
    private final LanguageModel model;
    private final GenerationOptions options;
    private final Executor executor;

    /** Greedy answers of at most 256 tokens, by threads of the common pool. */
    public PeftStreamingChatModel(LanguageModel model) {
        this(model, GenerationOptions.defaults().withMaxNewTokens(256), ForkJoinPool.commonPool());
    }

    /** Answers with these options, where a request does not say otherwise, by threads of this executor. */
    public PeftStreamingChatModel(LanguageModel model, GenerationOptions options, Executor executor) {
        this.model = Objects.requireNonNull(model, "model");
        this.options = Objects.requireNonNull(options, "options");
        this.executor = Objects.requireNonNull(executor, "executor");
    }

    @Override
    public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
        Prompt prompt = Requests.prompt(request);
        LanguageModel chosen = Requests.model(request, model);
        GenerationOptions streaming = Requests.options(request, options).withListener((index, piece) -> {
            if (!piece.isEmpty()) {
                handler.onPartialResponse(piece);
            }
            return true;
        });
        executor.execute(() -> answer(handler, () -> Requests.response(request, model,
                chosen.generate(List.of(prompt), streaming).get(0))));
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

    @Override
    public Set<Capability> supportedCapabilities() {
        return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
    }
}
