package io.peft4j.lora;

import static io.peft4j.core.peft.TinyNetwork.HIDDEN;
import static io.peft4j.core.peft.TinyNetwork.INNER;
import static io.peft4j.core.peft.TinyNetwork.KEYS;
import static io.peft4j.core.peft.TinyNetwork.LAYERS;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import java.util.List;
import java.util.stream.Stream;

/** VeRA keeps what every method promises. */
class VeraContractTest extends PeftFilesContract {

    private static Case at(Base base, String name, VeraConfigBuilder builder, boolean identity, long parameters) {
        return new Case(name, base, builder.build(), identity, true, parameters);
    }

    @Override
    protected List<Case> cases() {
        return List.of(
                at(Base.PLAIN, "defaults", VeraConfig.builder().rank(5), true, LAYERS * (2 * 5 + HIDDEN + KEYS)),
                at(Base.BIASED, "sizes of all kinds, all biases", VeraConfig.builder().rank(3).bias(Bias.ALL)
                        .targetModules(TargetModules.ALL_LINEAR), true,
                        LAYERS * (7 * 3 + 2 * (3 * HIDDEN + 2 * KEYS + 2 * INNER))),
                at(Base.TIED, "random start", VeraConfig.builder().rank(4).initWeights(false).targetModules("q_proj"),
                        false, LAYERS * (4 + HIDDEN)));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(VeraConfig.builder().rank(4).dropout(0.5).targetModules("q_proj", "down_proj").build());
    }
}
