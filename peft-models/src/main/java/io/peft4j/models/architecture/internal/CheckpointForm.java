package io.peft4j.models.architecture.internal;

import io.peft4j.models.architecture.ModelConfig;
import java.util.List;

/** A family whose checkpoints call tensors otherwise than by their places, or hold them in another form. */
public interface CheckpointForm {
    /** What a Hugging Face checkpoint holds for a tensor of the network. */
    List<ModelTensor> checkpointTensors(ModelConfig config, ModelTensor tensor);
}
