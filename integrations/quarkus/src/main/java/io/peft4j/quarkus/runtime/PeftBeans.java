package io.peft4j.quarkus.runtime;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.embedding.EmbeddingModel;
import io.peft4j.core.Internal;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.peft.file.AdapterSignature;
import io.peft4j.langchain4j.PeftChatModel;
import io.peft4j.langchain4j.PeftEmbeddingModel;
import io.peft4j.langchain4j.PeftStreamingChatModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.PeftAdapters;
import io.quarkus.arc.All;
import io.quarkus.arc.DefaultBean;
import io.quarkus.runtime.Startup;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.concurrent.Executor;

/** The beans of the extension. A bean of the application goes before each of them. */
@Internal(shared = true)
@Singleton
public class PeftBeans {
    private final PeftConfig config;

    /** Beans as this configuration says. */
    public PeftBeans(PeftConfig config) {
        this.config = config;
    }

    /** The base model and the adapters: when the application starts, so that a mistake shows then. */
    @Produces
    @Singleton
    @DefaultBean
    @Startup
    public PeftAdapters peftAdapters() {
        ModelOptions options = ModelOptions.defaults().withPrecision(config.dtype()).withToolForm(config.toolForm());
        if (config.threads() > 0) {
            options = options.withThreads(config.threads());
        }
        return new PeftAdapters(BaseModel.load(config.model(), options), config.adapters(), config.defaultAdapter(),
                config.trustedKey().map(AdapterSignature::trusting), config.reload());
    }

    /** Closes the models with the application. */
    public void close(@Disposes PeftAdapters adapters) {
        adapters.close();
    }

    /** Answers; the model name of a request is that of an adapter. */
    @Produces
    @Singleton
    @DefaultBean
    public ChatModel chatModel(PeftAdapters adapters, @All List<ChatModelListener> listeners) {
        return new PeftChatModel(adapters, usual()).withListeners(listeners);
    }

    /** Answers piece by piece, by the threads of Quarkus. */
    @Produces
    @Singleton
    @DefaultBean
    public StreamingChatModel streamingChatModel(PeftAdapters adapters, Executor executor,
            @All List<ChatModelListener> listeners) {
        return new PeftStreamingChatModel(adapters, usual(), executor).withListeners(listeners);
    }

    /** Vectors of texts. */
    @Produces
    @Singleton
    @DefaultBean
    public EmbeddingModel embeddingModel(PeftAdapters adapters) {
        return new PeftEmbeddingModel(adapters);
    }

    private GenerationOptions usual() {
        GenerationOptions usual = GenerationOptions.defaults().withMaxNewTokens(config.maxTokens());
        return usual.withSampling(usual.sampling().withTemperature(config.temperature()));
    }
}
