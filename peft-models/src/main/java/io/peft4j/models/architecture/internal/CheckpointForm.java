package io.peft4j.models.architecture.internal;

import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;

/** A family whose checkpoints call tensors otherwise than by their places, or hold them in another form. */
public interface CheckpointForm {
    /** What a Hugging Face checkpoint holds for a tensor of the network. */
    List<ModelTensor> checkpointTensors(ModelConfig config, ModelTensor tensor);

    /** The configuration of a model that is written, where not that of the model that was read. */
    default ModelConfig writtenConfig(ModelConfig config) {
        return config;
    }

    /** {@link #writtenConfig} of a configuration's family. */
    static ModelConfig written(ModelConfig config) {
        return Architectures.of(config) instanceof CheckpointForm form ? form.writtenConfig(config) : config;
    }
}
