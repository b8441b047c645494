package io.peft4j.lora;

import static io.peft4j.core.peft.TinyNetwork.HIDDEN;
import static io.peft4j.core.peft.TinyNetwork.INNER;
import static io.peft4j.core.peft.TinyNetwork.KEYS;
import static io.peft4j.core.peft.TinyNetwork.LAYERS;
import static io.peft4j.core.peft.TinyNetwork.VOCABULARY;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.config.TokenIndices;
import io.peft4j.lora.init.Eva;
import io.peft4j.lora.init.LoftQ;
import io.peft4j.lora.init.LoraInit;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** LoRA keeps what every method promises. */
class LoraContractTest extends PeftFilesContract {
    /** in + out of each linear layer of a decoder layer. */
    private static final int QUERY = HIDDEN + HIDDEN;
    private static final int VALUE = HIDDEN + KEYS;
    private static final int MLP = HIDDEN + INNER;
    private static final int BIASES = 2 * HIDDEN + 2 * KEYS + 2 * INNER + HIDDEN;

    private static LoraConfigBuilder lora(int rank, String... targets) {
        return LoraConfig.builder().rank(rank).alpha(2 * rank).targetModules(targets);
    }

    private static Case at(Base base, String name, LoraConfigBuilder builder, long parameters) {
        return new Case(name, base, builder.build(), true, true, parameters);
    }

    @Override
    protected List<Case> cases() {
        return List.of(
                at(Base.PLAIN, "defaults", LoraConfig.builder(), LAYERS * 8 * (QUERY + VALUE)),
                at(Base.PLAIN, "all-linear", LoraConfig.builder().rank(4).alpha(8)
                        .targetModules(TargetModules.ALL_LINEAR),
                        LAYERS * 4 * (2 * QUERY + 2 * VALUE + 3 * MLP)),
                at(Base.BIASED, "rank-stabilized, gaussian", lora(3, "o_proj", "down_proj").rsLora(true)
                        .initialization(LoraInit.GAUSSIAN), LAYERS * 3 * (QUERY + MLP)),
                new Case("random start", Base.PLAIN, lora(2, "q_proj").initialization(LoraInit.RANDOM).build(),
                        false, true, LAYERS * 2 * QUERY),
                at(Base.PLAIN, "patterns", lora(4, "q_proj", "v_proj")
                        .rankPattern(Map.of("layers.1.self_attn.q_proj", 2))
                        .alphaPattern(Map.of(".*v_proj", 3.0)), 4 * QUERY + 2 * QUERY + LAYERS * 4 * VALUE),
                at(Base.PLAIN, "one layer, one exclusion", lora(2, "q_proj", "v_proj", "up_proj").layersToTransform(1)
                        .layersPattern("layers").excludeModules("v_proj"), 2 * (QUERY + MLP)),
                at(Base.PLAIN, "expression", LoraConfig.builder().rank(2)
                        .targetModules(TargetModules.regex(".*\\.0\\..*(gate|up)_proj")), 2 * 2 * MLP),
                at(Base.PLAIN, "embedding and output layer", lora(2, "embed_tokens", "lm_head"),
                        2 * 2 * (VOCABULARY + HIDDEN)),
                at(Base.TIED, "embedding, tied", lora(2, "embed_tokens", "q_proj"),
                        2 * (VOCABULARY + HIDDEN) + LAYERS * 2 * QUERY),
                at(Base.TIED, "output layer, tied", lora(2, "lm_head"), 2 * (VOCABULARY + HIDDEN)),
                at(Base.BIASED, "bias of B", lora(2, "q_proj", "k_proj").loraBias(true),
                        LAYERS * (2 * (QUERY + VALUE) + HIDDEN + KEYS)),
                new Case("bias of B, none in the base", Base.PLAIN, lora(2, "q_proj").loraBias(true).build(), true,
                        false, LAYERS * (2 * QUERY + HIDDEN)),
                new Case("waits for an invocation", Base.PLAIN, lora(4, "q_proj", "down_proj").invocationTokens(5, 2)
                        .build(), true, false, LAYERS * 4 * (QUERY + MLP)),
                new Case("waits, bias of B", Base.BIASED, lora(2, "v_proj").loraBias(true).invocationTokens(3).build(),
                        true, false, LAYERS * (2 * VALUE + KEYS)),
                at(Base.BIASED, "all biases", lora(2, "q_proj").bias(Bias.ALL), LAYERS * (2 * QUERY + BIASES)),
                at(Base.BIASED, "biases of adapted layers", lora(2, "q_proj", "down_proj").bias(Bias.ADAPTED),
                        LAYERS * (2 * (QUERY + MLP) + 2 * HIDDEN)),
                at(Base.PLAIN, "norms and output layer as a whole", lora(2, "q_proj").modulesToSave("norm", "lm_head"),
                        LAYERS * (2 * QUERY + 2 * HIDDEN) + HIDDEN + VOCABULARY * HIDDEN),
                at(Base.TIED, "embedding as a whole, tied", lora(2, "q_proj").modulesToSave("embed_tokens"),
                        LAYERS * 2 * QUERY + VOCABULARY * HIDDEN),
                at(Base.TIED, "tokens, tied", lora(2, "q_proj").trainableTokens(5, 1, 12),
                        LAYERS * 2 * QUERY + 3 * HIDDEN),
                at(Base.PLAIN, "tokens by layer", lora(2, "q_proj").trainableTokens(TokenIndices.byLayer(Map.of(
                        "embed_tokens", List.of(5, 3), "lm_head", List.of(9)))), LAYERS * 2 * QUERY + 3 * HIDDEN),
                at(Base.TIED, "other tokens for a tied output layer", lora(2, "q_proj").trainableTokens(
                        TokenIndices.byLayer(Map.of("embed_tokens", List.of(5, 3), "lm_head", List.of(3, 9)))),
                        LAYERS * 2 * QUERY + 4 * HIDDEN),
                at(Base.PLAIN, "eva", lora(2, "q_proj", "o_proj").initialization(Eva.builder().build()),
                        LAYERS * 2 * 2 * QUERY),
                new Case("loftq", Base.BIASED, lora(2, "q_proj", "down_proj").initialization(new LoftQ(4, 2)).build(),
                        false, true, LAYERS * 2 * (QUERY + MLP)),
                at(Base.TIED, "embedding as a whole, kept tied", lora(2, "q_proj").modulesToSave("embed_tokens")
                        .ensureWeightTying(true), LAYERS * 2 * QUERY + VOCABULARY * HIDDEN),
                at(Base.TIED, "embedding and output layer, kept tied", lora(2, "lm_head", "q_proj")
                        .ensureWeightTying(true), 2 * (VOCABULARY + HIDDEN) + LAYERS * 2 * QUERY),
                at(Base.BIASED, "mica", lora(2, "q_proj", "down_proj").initialization(LoraInit.MICA),
                        LAYERS * 2 * (HIDDEN + INNER)),
                at(Base.TIED, "mica on an embedding", lora(2, "embed_tokens", "v_proj").initialization(LoraInit.MICA),
                        2 * (VOCABULARY + LAYERS * HIDDEN)),
                at(Base.BIASED, "layers repeated", lora(2, "q_proj", "down_proj").layerReplication(
                        new LayerRange(0, 2), new LayerRange(1, 2)), 3 * 2 * (QUERY + MLP)),
                at(Base.BIASED, "a whole block", lora(2, "q_proj").modulesToSave("layers.1.mlp"),
                        LAYERS * 2 * QUERY + 3 * HIDDEN * INNER + 2 * INNER + HIDDEN));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(lora(4, "q_proj", "down_proj").dropout(0.5).build(),
                lora(4, "q_proj", "down_proj").dropout(0.5).invocationTokens(5).build());
    }
}
