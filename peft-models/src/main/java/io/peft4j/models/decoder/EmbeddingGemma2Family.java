package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import java.util.List;

/** EmbeddingGemma 2, which also reads images and sounds; its text part, which is written without the others. */
public final class EmbeddingGemma2Family extends WrappedFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public EmbeddingGemma2Family() {
        super("embedding_gemma2", "embedding_gemma2_text");
    }

    @Override
    public ModelConfig writtenConfig(ModelConfig config) {
        ObjectNode values = config.values().deepCopy();
        return new ModelConfig(config.file(), values.putNull("vision_config").putNull("audio_config"));
    }

    @Override
    public List<ModelTensor> checkpointTensors(ModelConfig config, ModelTensor tensor) {
        return List.of(tensor);
    }
}
