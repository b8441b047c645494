package io.peft4j.langchain4j;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.peft.AdapterChoice;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.generation.TextConstraints;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Requests of LangChain4j as prompts and options, and completions as its responses. */
final class Requests {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Requests() {
    }

    /**
     * The conversation of a request.
     *
     * @throws UnsupportedFeatureException for messages that are not text, and where tools are offered
     */
    static Prompt prompt(ChatRequest request) {
        if (!Optional.ofNullable(request.toolSpecifications()).orElse(List.of()).isEmpty()) {
            throw new UnsupportedFeatureException("PEFT4J's models do not call tools; answer in one step, or give the "
                    + "model what the tools would say");
        }
        return Prompt.chat(request.messages().stream().map(Requests::message).toList());
    }

    private static io.peft4j.core.text.ChatMessage message(ChatMessage message) {
        if (message instanceof SystemMessage system) {
            return io.peft4j.core.text.ChatMessage.system(system.text());
        }
        if (message instanceof UserMessage user && user.hasSingleText()) {
            return io.peft4j.core.text.ChatMessage.user(user.singleText());
        }
        if (message instanceof AiMessage answer && !answer.hasToolExecutionRequests()) {
            return io.peft4j.core.text.ChatMessage.assistant(answer.text());
        }
        throw new UnsupportedFeatureException("only texts of system, user and assistant can be answered, and this is a "
                + "message of type " + message.type());
    }

    /**
     * What answers a request: the model as it is, or the adapter that the request names.
     *
     * @throws io.peft4j.core.error.ConfigurationException when there is none of that name
     * @throws UnsupportedFeatureException when it names another, and the model is none with adapters
     */
    static LanguageModel model(ChatRequest request, LanguageModel model) {
        return model(request.modelName(), model);
    }

    /** The model of a name; the one that is given if none is named. */
    static LanguageModel model(@Nullable String named, LanguageModel model) {
        Optional<String> asked = Optional.ofNullable(named).filter(name -> !name.isEmpty());
        if (asked.isEmpty()) {
            return model;
        }
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

    /** An answer as a response. */
    static ChatResponse response(ChatRequest request, LanguageModel model, Completion answer) {
        return ChatResponse.builder().aiMessage(AiMessage.from(answer.text()))
                .modelName(Optional.ofNullable(request.modelName()).orElse(model.network().description().name()))
                .tokenUsage(new TokenUsage(answer.promptTokens(), answer.ids().length))
                .finishReason(switch (answer.stopReason()) {
                    case STOP_TOKEN -> FinishReason.STOP;
                    case LENGTH -> FinishReason.LENGTH;
                    case CANCELLED -> FinishReason.OTHER;
                }).build();
    }
}
