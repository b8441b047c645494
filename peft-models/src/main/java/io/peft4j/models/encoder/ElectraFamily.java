package io.peft4j.models.encoder;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/**
 * ELECTRA (<a href="https://arxiv.org/abs/2003.10555">2003.10555</a>): BERT whose embeddings may be narrower than its
 * layers, without a pooler.
 */
public final class ElectraFamily extends BertFamily {
    /** The family. */
    public ElectraFamily() {
        super("electra");
    }

    @Override
    public List<String> layerNames() {
        return List.of("word_embeddings", "position_embeddings", "token_type_embeddings", "embeddings_project",
                "query", "key", "value", "dense", "classifier", "out_proj", "qa_outputs");
    }

    @Override
    String prefix() {
        return "electra.";
    }

    @Override
    Optional<String> pooler() {
        return Optional.empty();
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(relativesGguf().writing(config -> {
            if (width(config) != config.positive("hidden_size")) {
                throw new ConfigurationException("the model's embeddings have " + width(config) + " elements and its "
                        + "layers " + config.positive("hidden_size") + "; llama.cpp has no projection between them");
            }
        }));
    }

    @Override
    int width(ModelConfig config) {
        return config.optionalPositive("embedding_size").orElse(128);
    }

    @Override
    HeadPlan head(ModelConfig config, Task.Type task) {
        return task == Task.Type.SEQ_CLS ? twoLayers(config, Activation.GELU) : super.head(config, task);
    }
}
