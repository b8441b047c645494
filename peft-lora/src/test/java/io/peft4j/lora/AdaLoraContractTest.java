package io.peft4j.lora;

import static io.peft4j.core.peft.TinyNetwork.HIDDEN;
import static io.peft4j.core.peft.TinyNetwork.INNER;
import static io.peft4j.core.peft.TinyNetwork.KEYS;
import static io.peft4j.core.peft.TinyNetwork.LAYERS;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.lora.init.LoraInit;
import java.util.List;
import java.util.stream.Stream;

/** AdaLoRA keeps what every method promises: LoRA's parameters and one more for each rank. */
class AdaLoraContractTest extends PeftFilesContract {
    private static final int QUERY = HIDDEN + HIDDEN + 1;
    private static final int VALUE = HIDDEN + KEYS + 1;
    private static final int MLP = HIDDEN + INNER + 1;

    private static AdaLoraConfig.Builder ranks(int initial, LoraConfigBuilder lora) {
        return AdaLoraConfig.builder().initialRank(initial).targetRank(2).totalSteps(20).lora(lora.build());
    }

    private static Case at(Base base, String name, AdaLoraConfig.Builder builder, boolean identity, long parameters) {
        return new Case(name, base, builder.build(), identity, true, parameters);
    }

    @Override
    protected List<Case> cases() {
        LoraConfigBuilder lora = LoraConfig.builder().alpha(16);
        return List.of(
                at(Base.PLAIN, "all-linear", ranks(4, lora.targetModules(TargetModules.ALL_LINEAR)), true,
                        LAYERS * 4 * (2 * QUERY + 2 * VALUE + 3 * MLP)),
                at(Base.BIASED, "biases of adapted layers", ranks(3, LoraConfig.builder().alpha(9).bias(Bias.ADAPTED)
                        .targetModules("q_proj")), true, LAYERS * (3 * QUERY + HIDDEN)),
                at(Base.TIED, "random start", ranks(2, LoraConfig.builder().alpha(2)
                        .initialization(LoraInit.RANDOM).targetModules("v_proj")), false, LAYERS * 2 * VALUE),
                at(Base.TIED, "tokens, tied", ranks(2, LoraConfig.builder().alpha(4).targetModules("q_proj")
                        .trainableTokens(3, 1)), true, LAYERS * 2 * QUERY + 2 * HIDDEN),
                at(Base.PLAIN, "the architecture's targets", ranks(4, LoraConfig.builder().alpha(16)), true,
                        LAYERS * 4 * (QUERY + VALUE)));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(ranks(4, LoraConfig.builder().alpha(40).dropout(0.5).targetModules("q_proj", "down_proj"))
                .build());
    }
}
