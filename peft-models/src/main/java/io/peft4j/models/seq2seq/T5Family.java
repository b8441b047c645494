package io.peft4j.models.seq2seq;

import io.peft4j.core.model.Network;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.CheckpointForm;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.TaskPlan;
import io.peft4j.models.architecture.WeightLoader;
import java.util.List;
import java.util.Optional;

/**
 * T5 (<a href="https://arxiv.org/abs/1910.10683">1910.10683</a>), its version 1.1 and FLAN-T5: relative positions, a
 * plain or a gated feed-forward network, and an output layer that is the embedding or not.
 */
public class T5Family implements Architecture, CheckpointForm {
    private final String modelType;
    private final boolean scales;

    /** T5 itself. */
    public T5Family() {
        this("t5", true);
    }

    /**
     * A model of equal form.
     *
     * @param scales whether what enters a tied output layer is divided by the root of H
     */
    protected T5Family(String modelType, boolean scales) {
        this.modelType = modelType;
        this.scales = scales;
    }

    @Override
    public final String modelType() {
        return modelType;
    }

    @Override
    public final List<String> layerNames() {
        return List.of("shared", "q", "k", "v", "o", "wi", "wi_0", "wi_1", "wo", "lm_head");
    }

    @Override
    public final List<String> defaultTargetModules() {
        return List.of("q", "v");
    }

    @Override
    public final Task.Type defaultTask() {
        return Task.Type.SEQ_2_SEQ_LM;
    }

    @Override
    public final Optional<GgufForm> gguf() {
        return Optional.of(modelType.equals("t5") ? T5Gguf.FORM : T5Gguf.FORM.writtenOnly());
    }

    @Override
    public final List<ModelTensor> checkpointTensors(ModelConfig config, ModelTensor tensor) {
        return List.of(tensor);
    }

    @Override
    public final List<ModelTensor> ggufTensors(ModelConfig config, ModelTensor tensor) {
        return T5Gguf.tensors(tensor, T5Config.of(config, scales).outputFactor());
    }

    @Override
    public final ModelTensor ggufOutput(ModelConfig config, ModelTensor embedding) {
        return T5Gguf.output(embedding, T5Config.of(config, scales).outputFactor());
    }

    @Override
    public final Network build(String name, ModelConfig config, WeightLoader weights, TaskPlan task) {
        if (task.task().type() != Task.Type.SEQ_2_SEQ_LM) {
            throw task.unsupported(modelType, Task.Type.SEQ_2_SEQ_LM);
        }
        return new T5Builder(T5Config.of(config, scales), weights).build(name, modelType);
    }
}
