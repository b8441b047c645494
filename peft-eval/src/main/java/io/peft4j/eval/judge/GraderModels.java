package io.peft4j.eval.judge;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.grader.GraderTools;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** The models that graders ask: on a server, or in this process. */
@Internal(shared = true)
public final class GraderModels {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_TOKENS = 256;

    private GraderModels() {
    }

    /**
     * The models of a server with OpenAI's API.
     *
     * @param server where they are; the graders name them
     * @param embeddings the name of the model of embeddings, for {@code cosine}
     */
    public static GraderTools on(Endpoint server, Optional<String> embeddings) {
        return tools((model, messages, schema) -> JudgeModel.on(server.withModel(model), JSON.valueToTree(schema))
                .answer(messages), embeddings.map(name -> new EmbeddingEndpoint(server.withModel(name))));
    }

    /**
     * Models in this process.
     *
     * @param models finds one by its name; may throw if there is none
     * @param constraint makes the constraint of a JSON schema, as {@code TextConstraints::jsonSchema} does
     * @param embedder makes embeddings, for {@code cosine}
     */
    public static GraderTools of(Function<String, ? extends LanguageModel> models,
            Function<String, TextConstraint> constraint, Optional<Embedder> embedder) {
        return tools((model, messages, schema) -> models.apply(model).generate(List.of(Prompt.chat(messages)),
                GenerationOptions.defaults().withMaxNewTokens(MOST_TOKENS)
                        .withConstraint(constraint.apply(JSON.valueToTree(schema).toString())))
                .get(0).text(), embedder);
    }

    /** Asks a model by its name. */
    @FunctionalInterface
    private interface Asked {
        String answer(String model, List<ChatMessage> messages, Map<String, Object> schema);
    }

    private static GraderTools tools(Asked asked, Optional<? extends Embedder> embedder) {
        return new GraderTools() {
            @Override
            public String answer(String model, List<ChatMessage> messages, Map<String, Object> schema) {
                return asked.answer(model, messages, schema);
            }

            @Override
            public List<float[]> embed(List<String> texts) {
                return embedder.orElseThrow(() -> new ConfigurationException("the metric cosine needs a model of "
                        + "embeddings, and none is given")).embed(texts);
            }
        };
    }
}
