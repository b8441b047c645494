package io.peft4j.lora;

import static io.peft4j.core.peft.TinyNetwork.HIDDEN;
import static io.peft4j.core.peft.TinyNetwork.INNER;
import static io.peft4j.core.peft.TinyNetwork.KEYS;
import static io.peft4j.core.peft.TinyNetwork.LAYERS;
import static io.peft4j.core.peft.TinyNetwork.VOCABULARY;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.stream.Stream;

/** MiSS keeps what every method promises. */
class MissContractTest extends PeftFilesContract {

    private static Case at(Base base, String name, MissConfigBuilder builder, boolean identity, long parameters) {
        return new Case(name, base, builder.build(), identity, true, parameters);
    }

    @Override
    protected List<Case> cases() {
        return List.of(
                at(Base.PLAIN, "defaults", MissConfig.builder().rank(4), true, LAYERS * 4 * (HIDDEN + KEYS)),
                at(Base.BIASED, "a rank that does not divide", MissConfig.builder().rank(3)
                        .targetModules("q_proj", "up_proj", "down_proj"), true, LAYERS * 3 * (2 * HIDDEN + INNER)),
                at(Base.PLAIN, "mini", MissConfig.builder().rank(4).miniRank(2)
                        .initialization(MissConfig.Initialization.MINI)
                        .targetModules("q_proj", "v_proj"), true, LAYERS * 2 * 4 * 2),
                at(Base.BIASED, "bat", MissConfig.builder().rank(4).initialization(MissConfig.Initialization.BAT)
                        .targetModules("q_proj", "v_proj", "down_proj"), true, LAYERS * 4 * (2 * HIDDEN + KEYS)),
                at(Base.TIED, "random start", MissConfig.builder().rank(2)
                        .initialization(MissConfig.Initialization.RANDOM)
                        .targetModules("lm_head"), false, 2 * VOCABULARY));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(MissConfig.builder().rank(4).dropout(0.5).targetModules("q_proj", "down_proj").build());
    }
}
