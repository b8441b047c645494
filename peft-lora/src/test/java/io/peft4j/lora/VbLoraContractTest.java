package io.peft4j.lora;

import static io.peft4j.core.peft.TinyNetwork.HIDDEN;
import static io.peft4j.core.peft.TinyNetwork.INNER;
import static io.peft4j.core.peft.TinyNetwork.KEYS;
import static io.peft4j.core.peft.TinyNetwork.LAYERS;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.stream.Stream;

/** VB-LoRA keeps what every method promises. */
class VbLoraContractTest extends PeftFilesContract {
    /** in + out of each linear layer of a decoder layer. */
    private static final int QUERY = HIDDEN + HIDDEN;
    private static final int VALUE = HIDDEN + KEYS;
    private static final int MLP = HIDDEN + INNER;

    private static VbLoraConfigBuilder bank() {
        return VbLoraConfig.builder().vectors(7).vectorLength(4).bankBound(0.5).logitsDeviation(1);
    }

    private static Case at(Base base, String name, VbLoraConfigBuilder builder, boolean identity, long parameters) {
        return new Case(name, base, builder.build(), identity, true, parameters);
    }

    @Override
    protected List<Case> cases() {
        return List.of(
                at(Base.PLAIN, "defaults", bank().rank(2), false, 7 * 4 + LAYERS * 2 * (QUERY + VALUE) / 4 * 7),
                at(Base.BIASED, "all of seven", bank().rank(3).topK(7).targetModules("up_proj", "down_proj"), false,
                        7 * 4 + LAYERS * 3 * 2 * MLP / 4 * 7),
                at(Base.TIED, "short vectors", bank().rank(1).topK(2).vectorLength(2).targetModules("k_proj"), false,
                        7 * 2 + LAYERS * VALUE / 2 * 7));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(bank().rank(2).dropout(0.5).targetModules("q_proj", "down_proj").build());
    }
}
