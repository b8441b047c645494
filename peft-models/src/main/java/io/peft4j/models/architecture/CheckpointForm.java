package io.peft4j.models.architecture;

import java.util.List;
import java.util.function.Predicate;

/** A family whose checkpoints call tensors otherwise than by their places, or hold them in another form. */
public interface CheckpointForm {
    /** What a Hugging Face checkpoint holds for a tensor of the network. */
    List<ModelTensor> checkpointTensors(ModelConfig config, ModelTensor tensor);

    /** The tensors that are read from the file row by row and take no memory. */
    default Predicate<String> staysInFile(ModelConfig config) {
        return tensor -> false;
    }

    /** What llama.cpp's files hold for it, under names that the family's {@code GgufForm} translates. */
    default List<ModelTensor> ggufTensors(ModelConfig config, ModelTensor tensor) {
        return checkpointTensors(config, tensor);
    }

    /** What llama.cpp's files hold for the output layer of a model that uses its embedding for it. */
    default ModelTensor ggufOutput(ModelConfig config, ModelTensor embedding) {
        return embedding;
    }

    /** The configuration of a model that is written, where not that of the model that was read. */
    default ModelConfig writtenConfig(ModelConfig config) {
        return config;
    }

    /** {@link #writtenConfig} of a configuration's family. */
    static ModelConfig written(ModelConfig config) {
        return Architectures.of(config) instanceof CheckpointForm form ? form.writtenConfig(config) : config;
    }
}
