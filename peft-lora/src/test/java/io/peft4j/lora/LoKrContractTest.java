package io.peft4j.lora;

import static io.peft4j.core.peft.TinyNetwork.LAYERS;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import java.util.List;
import java.util.stream.Stream;

/** LoKr keeps what every method promises. */
class LoKrContractTest extends PeftFilesContract {

    private static Case at(Base base, String name, LoKrConfigBuilder builder, boolean identity, long parameters) {
        return new Case(name, base, builder.build(), identity, true, parameters);
    }

    @Override
    protected List<Case> cases() {
        return List.of(
                at(Base.PLAIN, "whole factors", LoKrConfig.builder().rank(8).targetModules("q_proj", "up_proj"), true,
                        LAYERS * (2 * 2 + 4 * 4 + 3 * 2 + 4 * 4)),
                at(Base.BIASED, "W2 of rank 1", LoKrConfig.builder().rank(1).alpha(3)
                        .targetModules(TargetModules.ALL_LINEAR), true,
                        LAYERS * (2 * (4 + 8) + 2 * (4 + 6) + 3 * (6 + 8))),
                at(Base.PLAIN, "both of rank 1, zeros in W2", LoKrConfig.builder().rank(1).decomposeBoth(true)
                        .initialization(LoKrConfig.Initialization.ZERO_W2).targetModules("up_proj", "down_proj"), true,
                        LAYERS * 2 * (5 + 8)),
                at(Base.TIED, "given factor, random start", LoKrConfig.builder().rank(8).decomposeFactor(4)
                        .initialization(LoKrConfig.Initialization.RANDOM).targetModules("q_proj"), false,
                        LAYERS * (4 * 4 + 2 * 2)));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(LoKrConfig.builder().rank(2).rankDropout(0.5).rankDropoutScale(true)
                .targetModules("q_proj", "up_proj").build());
    }
}
