package io.peft4j.lora;

import static io.peft4j.core.peft.TinyNetwork.HIDDEN;
import static io.peft4j.core.peft.TinyNetwork.INNER;
import static io.peft4j.core.peft.TinyNetwork.KEYS;
import static io.peft4j.core.peft.TinyNetwork.LAYERS;
import static io.peft4j.core.peft.TinyNetwork.VOCABULARY;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** LoHa keeps what every method promises. */
class LoHaContractTest extends PeftFilesContract {
    /** in + out of each linear layer of a decoder layer. */
    private static final int QUERY = HIDDEN + HIDDEN;
    private static final int VALUE = HIDDEN + KEYS;
    private static final int MLP = HIDDEN + INNER;

    private static Case at(Base base, String name, LoHaConfigBuilder builder, boolean identity, long parameters) {
        return new Case(name, base, builder.build(), identity, true, parameters);
    }

    @Override
    protected List<Case> cases() {
        return List.of(
                at(Base.PLAIN, "all-linear", LoHaConfig.builder().rank(2).alpha(4)
                        .targetModules(TargetModules.ALL_LINEAR), true,
                        LAYERS * 2 * 2 * (2 * QUERY + 2 * VALUE + 3 * MLP)),
                at(Base.BIASED, "patterns", LoHaConfig.builder().rank(3).targetModules("q_proj", "v_proj")
                        .rankPattern(Map.of("v_proj", 2)).alphaPattern(Map.of("q_proj", 5.0)), true,
                        LAYERS * 2 * (3 * QUERY + 2 * VALUE)),
                at(Base.TIED, "random start, output layer", LoHaConfig.builder().rank(2).initWeights(false)
                        .targetModules("lm_head"), false, 2 * 2 * (VOCABULARY + HIDDEN)),
                at(Base.PLAIN, "one layer and a whole norm", LoHaConfig.builder().rank(2).targetModules("up_proj")
                        .layersToTransform(1).modulesToSave("model.norm"), true, 2 * 2 * MLP + HIDDEN));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(LoHaConfig.builder().rank(2).rankDropout(0.5).moduleDropout(0.1)
                .targetModules("q_proj", "down_proj").build());
    }
}
