package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.INNER;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;
import static io.peft4j.methods.Sizes.V;
import static io.peft4j.methods.Sizes.at;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import java.util.List;
import java.util.stream.Stream;

/** LN tuning, BitFit and full fine-tuning keep what every method promises. */
class WholeLayersContractTest extends PeftFilesContract {
    /** Weights and biases of the linear layers of a decoder layer. */
    private static final int WEIGHTS = 2 * H * H + 2 * H * KEYS + 3 * H * INNER;
    private static final int BIASES = 2 * H + 2 * KEYS + 2 * INNER + H;
    private static final int NORMS = 2 * LAYERS * H + H;

    @Override
    protected List<Case> cases() {
        LnTuningConfig ln = LnTuningConfig.builder().build();
        BitFitConfig bitFit = BitFitConfig.builder().build();
        FullConfig full = FullConfig.builder().build();
        return List.of(
                at(Base.PLAIN, "norms", ln, NORMS),
                at(Base.PLAIN, "some norms", ln.toBuilder().targetModules("input_layernorm", "model.norm")
                        .excludeModules("layers.1.input_layernorm").build(), 2 * H),
                at(Base.BIASED, "a norm and a linear layer", ln.toBuilder()
                        .targetModules("norm", "layers.0.mlp.up_proj").build(), H + H * INNER + INNER),
                at(Base.BIASED, "biases", bitFit, LAYERS * BIASES),
                new Case("new biases", Base.PLAIN, bitFit, true, false, LAYERS * BIASES),
                at(Base.BIASED, "some biases", bitFit.toBuilder().addBiases(false)
                        .targetModules("q_proj", "down_proj").layersToTransform(1).modulesToSave("norm").build(),
                        2 * H + NORMS),
                at(Base.TIED, "all weights, tied", full, V * H + LAYERS * WEIGHTS + NORMS),
                at(Base.PLAIN, "some weights", full.toBuilder().targetModules(
                        TargetModules.regex(".*\\.1\\.mlp\\..*_proj")).build(), 3 * H * INNER),
                at(Base.BIASED, "embedding, output layer and biases", full.toBuilder()
                        .targetModules("embed_tokens", "lm_head", "layers.0.self_attn.k_proj").build(),
                        2 * V * H + H * KEYS + KEYS));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.empty();
    }
}
