package io.peft4j.langchain4j;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.peft.AdapterChoice;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.models.generation.TextConstraints;
import io.peft4j.models.generation.ToolUse;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Requests of LangChain4j as prompts and options, and completions as its responses. */
final class Requests {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Requests() {
    }

    /**
     * What a request asks a model.
     *
     * @throws UnsupportedFeatureException for messages that are not text
     * @throws io.peft4j.core.error.ConfigurationException where tools are offered and the chat template has none, and
     *     where the answer must follow a format, too
     */
    static ToolUse.Asked ask(ChatRequest request, LanguageModel model, GenerationOptions usual) {
        List<Map<String, Object>> tools = Optional.ofNullable(request.toolSpecifications()).orElse(List.of()).stream()
                .map(tool -> ToolUse.tool(tool.name(), Optional.ofNullable(tool.description()).orElse(""),
                        JsonSchemaElementUtils.toMap(Optional.ofNullable(tool.parameters())
                                .orElseGet(() -> JsonObjectSchema.builder().build()))))
                .toList();
        return ToolUse.ask(model, request.messages().stream().map(Requests::message).toList(), tools,
                request.toolChoice() == ToolChoice.NONE, request.toolChoice() == ToolChoice.REQUIRED,
                options(request, usual));
    }

    private static io.peft4j.core.text.ChatMessage message(ChatMessage message) {
        if (message instanceof SystemMessage system) {
            return io.peft4j.core.text.ChatMessage.system(system.text());
        }
        if (message instanceof UserMessage user && user.hasSingleText()) {
            return io.peft4j.core.text.ChatMessage.user(user.singleText());
        }
        if (message instanceof AiMessage answer) {
            return new io.peft4j.core.text.ChatMessage("assistant", Optional.ofNullable(answer.text()).orElse(""),
                    answer.hasToolExecutionRequests() ? Map.of("tool_calls", answer.toolExecutionRequests().stream()
                            .map(call -> ToolUse.call(call.id(), call.name(), call.arguments())).toList()) : Map.of());
        }
        if (message instanceof ToolExecutionResultMessage result && result.hasSingleText()) {
            return ToolUse.result(result.id(), result.toolName(), result.text());
        }
        throw new UnsupportedFeatureException("images and other media are not supported, and this message of type "
                + message.type() + " has one; send text alone");
    }

    /** What models give for the name in a request, or without one. */
    static LanguageModel model(@Nullable String named, Function<Optional<String>, LanguageModel> models) {
        return models.apply(Optional.ofNullable(named).filter(name -> !name.isEmpty()));
    }

    /**
     * What answers requests: the model as it is, or the adapter that one names.
     *
     * @throws io.peft4j.core.error.ConfigurationException when there is none of that name
     * @throws UnsupportedFeatureException when it names another, and the model is none with adapters
     */
    static Function<Optional<String>, LanguageModel> choosing(LanguageModel model) {
        Objects.requireNonNull(model, "model");
        return asked -> asked.isEmpty() ? model : chosen(asked, model);
    }

    private static LanguageModel chosen(Optional<String> asked, LanguageModel model) {
        AdapterChoice choice = new AdapterChoice(Optional.empty(), Set.of(model.network().description().name()), "");
        if (model instanceof PeftModel adapted) {
            String name = choice.name(asked, adapted.adapterNames());
            return name.equals(PeftModel.BASE) ? adapted.base() : adapted.with(name);
        }
        if (model instanceof BaseLanguageModel && choice.isBase(asked.get())) {
            return model;
        }
        throw new UnsupportedFeatureException("a request cannot choose '" + asked.get() + "' here; make the "
                + "PeftChatModel of a PeftModel that has that adapter");
    }

    /** What requests ask for unless they say otherwise, for the listeners of a model. */
    static ChatRequestParameters parameters(GenerationOptions usual) {
        return ChatRequestParameters.builder().maxOutputTokens(usual.maxNewTokens())
                .temperature(usual.sampling().temperature()).topP(usual.sampling().topP())
                .stopSequences(usual.stopStrings()).build();
    }

    /** The options of a request: what it leaves open is the model's. */
    static GenerationOptions options(ChatRequest request, GenerationOptions usual) {
        Sampling sampling = usual.sampling();
        if (request.temperature() != null) {
            sampling = sampling.withTemperature(request.temperature());
        }
        if (request.topP() != null) {
            sampling = sampling.withTopP(request.topP());
        }
        if (request.topK() != null) {
            sampling = sampling.withTopK(request.topK());
        }
        sampling = sampling.withPenalties(orElse(request.presencePenalty(), sampling.presencePenalty()),
                orElse(request.frequencyPenalty(), sampling.frequencyPenalty()));
        GenerationOptions options = usual.withSampling(sampling);
        if (request.maxOutputTokens() != null) {
            options = options.withMaxNewTokens(request.maxOutputTokens());
        }
        if (request.stopSequences() != null && !request.stopSequences().isEmpty()) {
            options = options.withStopStrings(request.stopSequences());
        }
        return request.responseFormat() == null ? options : constrained(options, request.responseFormat());
    }

    private static double orElse(Double value, double usual) {
        return value == null ? usual : value;
    }

    private static GenerationOptions constrained(GenerationOptions options, ResponseFormat format) {
        if (format.type() == ResponseFormatType.TEXT) {
            return options;
        }
        if (format.jsonSchema() == null) {
            return options.withConstraint(TextConstraints.json());
        }
        try {
            return options.withConstraint(TextConstraints.jsonSchema(JSON.writeValueAsString(
                    JsonSchemaElementUtils.toMap(format.jsonSchema().rootElement()))));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map writes itself as JSON", e);
        }
    }

    static ChatResponse response(ChatRequest request, LanguageModel model, ParsedAnswer parsed, Completion answer) {
        List<ToolExecutionRequest> calls = parsed.calls().stream().map(call -> ToolExecutionRequest.builder()
                .id("call_" + UUID.randomUUID()).name(call.name()).arguments(call.json()).build())
                .toList();
        AiMessage.Builder message = AiMessage.builder().toolExecutionRequests(calls);
        if (calls.isEmpty() || !parsed.content().isEmpty()) {
            message.text(parsed.content());
        }
        if (!parsed.reasoning().isEmpty()) {
            message.thinking(parsed.reasoning());
        }
        return ChatResponse.builder().aiMessage(message.build())
                .modelName(Optional.ofNullable(request.modelName()).orElse(model.network().description().name()))
                .tokenUsage(new TokenUsage(answer.promptTokens(), answer.ids().length))
                .finishReason(calls.isEmpty() ? switch (answer.stopReason()) {
                    case STOP_TOKEN -> FinishReason.STOP;
                    case LENGTH -> FinishReason.LENGTH;
                    case CANCELLED -> FinishReason.OTHER;
                } : FinishReason.TOOL_EXECUTION).build();
    }
}
