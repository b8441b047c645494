package io.peft4j.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.models.PeftAdapters;
import io.peft4j.models.generation.ToolUse;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * A base model, a model with adapters or a view of one ({@link io.peft4j.core.peft.PeftModel#with}) as LangChain4j's
 * {@link ChatModel}. For any number of threads. It does not own the model: whoever loaded it closes it.
 *
 * <pre>{@code
 * ChatModel hr = new PeftChatModel(base.withAdapter(Path.of("handbook-adapter")));
 * HrAssistant assistant = AiServices.create(HrAssistant.class, hr);
 * }</pre>
 *
 * <p>The model name of a request names one of the adapters of a {@link io.peft4j.core.peft.PeftModel}, or
 * {@code __base__}. Where there are several and a request names none, it is refused unless one was chosen: give a view,
 * or activate it.
 *
 * <p>A response format of JSON, with a schema or without, constrains the answer to valid JSON token by token. Tools
 * are shown by the chat template and their calls are part of the answer, each with arguments as the tool's schema has
 * them; a format and tools in one request, and a template without tools, are a
 * {@link io.peft4j.core.error.ConfigurationException}. Images and other media are refused with an
 * {@link dev.langchain4j.exception.UnsupportedFeatureException}.
 */
public final class PeftChatModel implements ChatModel {
    private final Function<Optional<String>, LanguageModel> models;
    private final GenerationOptions options;
    private final List<ChatModelListener> listeners;

    /** Greedy answers of at most 256 tokens, where a request does not say otherwise. */
    public PeftChatModel(LanguageModel model) {
        this(model, GenerationOptions.defaults().withMaxNewTokens(256));
    }

    /** Answers with these options, where a request does not say otherwise. */
    public PeftChatModel(LanguageModel model, GenerationOptions options) {
        this(Requests.choosing(model), options, List.of());
    }

    /** Answers by the adapters of a folder as they are when a request comes, with these options. */
    public PeftChatModel(PeftAdapters adapters, GenerationOptions options) {
        this(adapters::model, options, List.of());
    }

    private PeftChatModel(Function<Optional<String>, LanguageModel> models, GenerationOptions options,
            List<ChatModelListener> listeners) {
        this.models = models;
        this.options = Objects.requireNonNull(options, "options");
        this.listeners = List.copyOf(listeners);
    }

    @Override
    public ChatResponse doChat(ChatRequest request) {
        LanguageModel chosen = Requests.model(request.modelName(), models);
        ToolUse.Asked asked = Requests.ask(request, chosen, options);
        Completion answer = chosen.generate(List.of(asked.prompt()), asked.options()).get(0);
        return Requests.response(request, chosen, asked.use().parsed(answer.text()), answer);
    }

    @Override
    public ChatRequestParameters defaultRequestParameters() {
        return Requests.parameters(options);
    }

    /** As this one, telling these of requests, responses and errors. */
    public PeftChatModel withListeners(List<ChatModelListener> those) {
        return new PeftChatModel(models, options, those);
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
