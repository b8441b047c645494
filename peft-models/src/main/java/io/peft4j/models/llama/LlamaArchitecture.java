package io.peft4j.models.llama;

import io.peft4j.core.model.CausalNetwork;
import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.WeightLoader;
import java.util.List;

/** Llama 1 to 3, SmolLM 1 and 2, and other models of {@code model_type} {@code llama}. */
public final class LlamaArchitecture implements Architecture {
    @Override
    public String modelType() {
        return "llama";
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
                "lm_head");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("q_proj", "v_proj");
    }

    @Override
    public CausalNetwork build(String name, ModelConfig config, WeightLoader weights) {
        return new LlamaBuilder(config, weights).build(name);
    }
}
