package io.peft4j.spring;

import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.MessageType;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;

/**
 * The models as Spring AI's {@link ChatModel}. The option {@code model} of a request is the name of an adapter;
 * {@code __base__} is the base without any. For any number of threads. Tools and media are refused.
 */
public final class PeftChatModel implements ChatModel {
    /** Told of every answer. */
    @FunctionalInterface
    public interface AnswerListener {
        /**
         * An answer is complete.
         *
         * @param adapter the name of the adapter that answered; {@value PeftModel#BASE} is the base
         * @param answer the answer
         * @param time how long it took
         */
        void onAnswer(String adapter, Completion answer, Duration time);
    }

    private final PeftAdapters adapters;
    private final GenerationOptions usual;
    private final AnswerListener listener;

    /**
     * A chat model.
     *
     * @param usual what a request leaves open
     * @param listener told of every answer
     */
    public PeftChatModel(PeftAdapters adapters, GenerationOptions usual, AnswerListener listener) {
        this.adapters = Objects.requireNonNull(adapters, "adapters");
        this.usual = Objects.requireNonNull(usual, "usual");
        this.listener = Objects.requireNonNull(listener, "listener");
    }

    @Override
    public ChatResponse call(Prompt prompt) {
        String name = adapters.name(asked(prompt));
        Completion answer = answer(prompt, name, options(prompt.getOptions()));
        return response(name, answer.text(), answer);
    }

    @Override
    public Flux<ChatResponse> stream(Prompt prompt) {
        GenerationOptions options = options(prompt.getOptions());
        return Flux.<ChatResponse>create(sink -> {
            String name = adapters.name(asked(prompt));
            Completion answer = answer(prompt, name, options.withListener((index, piece) -> {
                if (!piece.isEmpty()) {
                    sink.next(new ChatResponse(List.of(new Generation(new AssistantMessage(piece)))));
                }
                return !sink.isCancelled();
            }));
            sink.next(response(name, "", answer));
            sink.complete();
        }).subscribeOn(Schedulers.boundedElastic());
    }

    @Override
    public ChatOptions getDefaultOptions() {
        return ChatOptions.builder().maxTokens(usual.maxNewTokens()).temperature(usual.sampling().temperature())
                .build();
    }

    private static Optional<String> asked(Prompt prompt) {
        return Optional.ofNullable(prompt.getOptions()).map(ChatOptions::getModel).filter(name -> !name.isEmpty());
    }

    private Completion answer(Prompt prompt, String name, GenerationOptions options) {
        long begin = System.nanoTime();
        List<ChatMessage> messages = prompt.getInstructions().stream().map(PeftChatModel::message).toList();
        Completion answer = adapters.model(name).generate(List.of(io.peft4j.core.model.Prompt.chat(messages)), options)
                .get(0);
        listener.onAnswer(name, answer, Duration.ofNanos(System.nanoTime() - begin));
        return answer;
    }

    private static ChatMessage message(Message message) {
        if (message.getMessageType() == MessageType.TOOL) {
            throw new UnsupportedOperationException("PEFT4J's models do not call tools");
        }
        return new ChatMessage(message.getMessageType().getValue().toLowerCase(Locale.ROOT),
                Optional.ofNullable(message.getText()).orElse(""));
    }

    private GenerationOptions options(ChatOptions wanted) {
        if (wanted == null) {
            return usual;
        }
        Sampling sampling = usual.sampling();
        if (wanted.getTemperature() != null) {
            sampling = sampling.withTemperature(wanted.getTemperature());
        }
        if (wanted.getTopP() != null) {
            sampling = sampling.withTopP(wanted.getTopP());
        }
        if (wanted.getTopK() != null) {
            sampling = sampling.withTopK(wanted.getTopK());
        }
        sampling = sampling.withPenalties(
                Optional.ofNullable(wanted.getPresencePenalty()).orElse(sampling.presencePenalty()),
                Optional.ofNullable(wanted.getFrequencyPenalty()).orElse(sampling.frequencyPenalty()));
        GenerationOptions options = usual.withSampling(sampling);
        if (wanted.getMaxTokens() != null) {
            options = options.withMaxNewTokens(wanted.getMaxTokens());
        }
        List<String> stops = wanted.getStopSequences();
        return stops == null || stops.isEmpty() ? options : options.withStopStrings(stops);
    }

    private ChatResponse response(String name, String text, Completion answer) {
        ChatGenerationMetadata metadata = ChatGenerationMetadata.builder().finishReason(switch (answer.stopReason()) {
            case STOP_TOKEN -> "STOP";
            case LENGTH -> "LENGTH";
            case CANCELLED -> "CANCELLED";
        }).build();
        return new ChatResponse(List.of(new Generation(new AssistantMessage(text), metadata)),
                ChatResponseMetadata.builder().model(name.equals(PeftModel.BASE)
                        ? adapters.base().network().description().name() : name)
                        .usage(new DefaultUsage(answer.promptTokens(), answer.ids().length)).build());
    }
}
