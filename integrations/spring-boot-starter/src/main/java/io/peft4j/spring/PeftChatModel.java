package io.peft4j.spring;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.models.PeftAdapters;
import io.peft4j.models.generation.ToolUse;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.chat.observation.ChatModelObservationDocumentation;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.ToolCallback;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;
import reactor.core.scheduler.Schedulers;

/**
 * The models as Spring AI's {@link ChatModel}. The option {@code model} of a request is the name of an adapter;
 * {@code __base__} is the base without any. Tools are shown by the chat template, and their calls are part of the
 * answer: Spring's {@code ToolCallingAdvisor}, which a {@code ChatClient} has, runs them. For any number of threads.
 * Media are refused.
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

    /** What observations call the provider. */
    public static final String PROVIDER = "peft4j";

    private final PeftAdapters adapters;
    private final GenerationOptions usual;
    private final AnswerListener listener;
    private final ObservationRegistry observations;
    private final ChatModelObservationConvention convention;

    /**
     * A chat model.
     *
     * @param usual what a request leaves open
     * @param listener told of every answer
     */
    public PeftChatModel(PeftAdapters adapters, GenerationOptions usual, AnswerListener listener) {
        this(adapters, usual, listener, ObservationRegistry.NOOP, new DefaultChatModelObservationConvention());
    }

    /**
     * A chat model that is observed as Spring AI's are: an answer is a {@code gen_ai.client.operation} of the provider
     * {@value #PROVIDER}, with its tokens; the model of the response is the adapter.
     *
     * @param usual what a request leaves open
     * @param listener told of every answer
     * @param observations where answers are observed
     * @param convention how observations are named
     */
    public PeftChatModel(PeftAdapters adapters, GenerationOptions usual, AnswerListener listener,
            ObservationRegistry observations, ChatModelObservationConvention convention) {
        this.observations = Objects.requireNonNull(observations, "observations");
        this.convention = Objects.requireNonNull(convention, "convention");
        this.adapters = Objects.requireNonNull(adapters, "adapters");
        this.usual = Objects.requireNonNull(usual, "usual");
        this.listener = Objects.requireNonNull(listener, "listener");
    }

    @Override
    public ChatResponse call(Prompt prompt) {
        ChatModelObservationContext seen = seen(prompt, false);
        return observation(seen).observe(() -> {
            String name = adapters.name(named(prompt));
            ToolUse.Asked asked = ask(prompt);
            Completion answer = answer(asked, name, asked.options());
            ParsedAnswer parsed = asked.use().parsed(answer.text());
            ChatResponse response = response(name, parsed.content(), parsed.calls(), answer);
            seen.setResponse(response);
            return response;
        });
    }

    @Override
    public Flux<ChatResponse> stream(Prompt prompt) {
        return Flux.deferContextual(around -> {
            ChatModelObservationContext seen = seen(prompt, true);
            // The thread that answers has no observation of its own.
            Observation current = around.getOrDefault(ObservationThreadLocalAccessor.KEY,
                    observations.getCurrentObservation());
            Observation observation = observation(seen).parentObservation(current);
            return Flux.<ChatResponse>create(sink -> {
                // Who sees the end sees an observation that has stopped.
                sink.next(observation.observe(() -> answer(prompt, sink, seen)));
                sink.complete();
            }).subscribeOn(Schedulers.boundedElastic());
        });
    }

    private ChatResponse answer(Prompt prompt, FluxSink<ChatResponse> sink, ChatModelObservationContext seen) {
        String name = adapters.name(named(prompt));
        ToolUse.Asked asked = ask(prompt);
        ToolUse.Growing text = new ToolUse.Growing(asked.use());
        Completion answer = answer(asked, name, asked.options().withListener((index, piece) -> {
            tell(sink, text.accept(piece).content());
            return !sink.isCancelled();
        }));
        tell(sink, text.finish(answer.text()).content());
        ChatResponse last = response(name, "", text.answer(answer.text()).calls(), answer);
        seen.setResponse(last);
        return last;
    }

    private static ChatModelObservationContext seen(Prompt prompt, boolean streaming) {
        return ChatModelObservationContext.builder().prompt(prompt).provider(PROVIDER).streaming(streaming).build();
    }

    private Observation observation(ChatModelObservationContext seen) {
        return ChatModelObservationDocumentation.CHAT_MODEL_OPERATION.observation(null, convention, () -> seen,
                observations);
    }

    private static void tell(FluxSink<ChatResponse> sink, String content) {
        if (!content.isEmpty()) {
            sink.next(new ChatResponse(List.of(new Generation(new AssistantMessage(content)))));
        }
    }

    @Override
    public ChatOptions getOptions() {
        return ToolCallingChatOptions.builder().maxTokens(usual.maxNewTokens())
                .temperature(usual.sampling().temperature()).build();
    }

    private static Optional<String> named(Prompt prompt) {
        return Optional.ofNullable(prompt.getOptions()).map(ChatOptions::getModel).filter(name -> !name.isEmpty());
    }

    private Completion answer(ToolUse.Asked asked, String name, GenerationOptions options) {
        long begin = System.nanoTime();
        Completion answer = adapters.model(name).generate(List.of(asked.prompt()), options).get(0);
        listener.onAnswer(name, answer, Duration.ofNanos(System.nanoTime() - begin));
        return answer;
    }

    private ToolUse.Asked ask(Prompt prompt) {
        // A client without tools leaves them null.
        List<ToolCallback> offered = Optional.ofNullable(prompt.getOptions() instanceof ToolCallingChatOptions options
                ? options.getToolCallbacks() : null).orElse(List.of());
        List<Map<String, Object>> tools = offered.stream().map(ToolCallback::getToolDefinition)
                .map(tool -> ToolUse.tool(tool.name(), tool.description(), ToolUse.arguments(tool.inputSchema())))
                .toList();
        return ToolUse.ask(adapters.base(), prompt.getInstructions().stream().flatMap(PeftChatModel::messages).toList(),
                tools, false, false, options(prompt.getOptions()));
    }

    private static Stream<ChatMessage> messages(Message message) {
        if (message instanceof ToolResponseMessage results) {
            return results.getResponses().stream().map(result -> ToolUse.result(result.id(), result.name(),
                    result.responseData()));
        }
        String text = Optional.ofNullable(message.getText()).orElse("");
        Map<String, Object> calls = message instanceof AssistantMessage answer && answer.hasToolCalls()
                ? Map.of("tool_calls", answer.getToolCalls().stream().map(call -> ToolUse.call(call.id(), call.name(),
                        call.arguments())).toList())
                : Map.of();
        return Stream.of(new ChatMessage(message.getMessageType().getValue().toLowerCase(Locale.ROOT), text, calls));
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

    private ChatResponse response(String name, String text, List<ToolCall> calls, Completion answer) {
        ChatGenerationMetadata metadata = ChatGenerationMetadata.builder().finishReason(calls.isEmpty()
                ? switch (answer.stopReason()) {
                    case STOP_TOKEN -> "STOP";
                    case LENGTH -> "LENGTH";
                    case CANCELLED -> "CANCELLED";
                } : "TOOL_CALLS").build();
        AssistantMessage message = AssistantMessage.builder().content(text).toolCalls(calls.stream()
                .map(call -> new AssistantMessage.ToolCall("call_" + UUID.randomUUID(), "function", call.name(),
                        call.json()))
                .toList()).build();
        return new ChatResponse(List.of(new Generation(message, metadata)),
                ChatResponseMetadata.builder().model(name.equals(PeftModel.BASE)
                        ? adapters.base().network().description().name() : name)
                        .usage(new DefaultUsage(answer.promptTokens(), answer.ids().length)).build());
    }
}
