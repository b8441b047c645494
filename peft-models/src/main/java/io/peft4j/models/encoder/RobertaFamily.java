package io.peft4j.models.encoder;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/**
 * RoBERTa (<a href="https://arxiv.org/abs/1907.11692">1907.11692</a>): BERT whose positions begin behind the padding
 * token's, and whose classifier has a layer of its own instead of a pooler.
 */
public class RobertaFamily extends BertFamily {
    private static final String ROWS = "max_position_embeddings";

    /** RoBERTa itself. */
    public RobertaFamily() {
        this("roberta");
    }

    /** A model of equal form. */
    protected RobertaFamily(String modelType) {
        super(modelType);
    }

    @Override
    public List<String> layerNames() {
        return List.of("word_embeddings", "position_embeddings", "token_type_embeddings", "query", "key", "value",
                "dense", "classifier", "out_proj", "qa_outputs");
    }

    @Override
    String prefix() {
        return "roberta.";
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(relativesGguf().filled(config -> config.put(ROWS, config.path(ROWS).asInt(512)
                - config.path("pad_token_id").asInt(1) - 1)));
    }

    @Override
    int positionOffset(ModelConfig config) {
        return config.optionalInteger("pad_token_id").orElse(1) + 1;
    }

    @Override
    HeadPlan head(ModelConfig config, Task.Type task) {
        return task == Task.Type.SEQ_CLS ? twoLayers(config, Activation.TANH) : super.head(config, task);
    }
}
