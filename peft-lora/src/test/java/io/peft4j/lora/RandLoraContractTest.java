package io.peft4j.lora;

import static io.peft4j.core.peft.TinyNetwork.HIDDEN;
import static io.peft4j.core.peft.TinyNetwork.KEYS;
import static io.peft4j.core.peft.TinyNetwork.LAYERS;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.stream.Stream;

/** RandLoRA keeps what every method promises. */
class RandLoraContractTest extends PeftFilesContract {

    private static Case at(Base base, String name, RandLoraConfigBuilder builder, boolean identity, long parameters) {
        return new Case(name, base, builder.build(), identity, true, parameters);
    }

    @Override
    protected List<Case> cases() {
        return List.of(
                at(Base.PLAIN, "defaults", RandLoraConfig.builder().rank(3).alpha(6), true,
                        LAYERS * (3 * (3 + HIDDEN) + 2 * (3 + KEYS))),
                at(Base.BIASED, "sizes of all kinds, sparse", RandLoraConfig.builder().rank(4).alpha(4).sparse(true)
                        .targetModules("o_proj", "up_proj", "down_proj"), true, LAYERS * 3 * 2 * (4 + HIDDEN)),
                at(Base.TIED, "random start, very sparse", RandLoraConfig.builder().rank(2).alpha(1).verySparse(true)
                        .initWeights(false).targetModules("q_proj"), false, LAYERS * 4 * (2 + HIDDEN)));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(RandLoraConfig.builder().rank(4).alpha(40).dropout(0.5)
                .targetModules("q_proj", "down_proj").build());
    }
}
