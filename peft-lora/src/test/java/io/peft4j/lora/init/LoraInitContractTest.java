package io.peft4j.lora.init;

import static io.peft4j.core.peft.TinyNetwork.HIDDEN;
import static io.peft4j.core.peft.TinyNetwork.INNER;
import static io.peft4j.core.peft.TinyNetwork.KEYS;
import static io.peft4j.core.peft.TinyNetwork.LAYERS;

import io.peft4j.core.peft.PeftRowsContract;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.LoraConfigBuilder;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * LoRA that begins with values from the base keeps what every method promises. Its files hold another form
 * ({@link LoraInitTest}). With kernels that sum in double, what is taken out and what is put in cancel exactly.
 */
class LoraInitContractTest extends PeftRowsContract {
    private static final int QUERY = HIDDEN + HIDDEN;
    private static final int VALUE = HIDDEN + KEYS;
    private static final int MLP = HIDDEN + INNER;

    private static Case at(Base base, String name, LoraConfigBuilder lora, long parameters) {
        return new Case(name, base, lora.build(), true, true, parameters);
    }

    static LoraInit corda(Corda.Mode mode) {
        return Corda.builder().mode(mode).build();
    }

    static LoraConfigBuilder lora(LoraInit start, int rank, String... targets) {
        return LoraConfig.builder().initialization(start).rank(rank).alpha(rank).targetModules(targets);
    }

    @Override
    protected List<Case> cases() {
        return List.of(
                at(Base.PLAIN, "orthogonal", lora(LoraInit.ORTHOGONAL, 4, "q_proj", "v_proj"),
                        LAYERS * 4 * (QUERY + VALUE)),
                at(Base.BIASED, "olora", lora(LoraInit.OLORA, 3, "q_proj", "down_proj").alpha(2),
                        LAYERS * 3 * (QUERY + MLP)),
                at(Base.TIED, "pissa", lora(LoraInit.PISSA, 2, "lm_head", "v_proj").rsLora(true),
                        2 * (HIDDEN + 13) + LAYERS * 2 * VALUE),
                at(Base.BIASED, "corda", lora(corda(Corda.Mode.IPM), 3, "q_proj", "down_proj"),
                        LAYERS * 3 * (QUERY + MLP)),
                at(Base.PLAIN, "corda keeping knowledge", lora(corda(Corda.Mode.KPM), 2, "v_proj", "up_proj")
                        .rsLora(true), LAYERS * 2 * (VALUE + MLP)),
                at(Base.TIED, "lora-ga", lora(LoraGa.builder().build(), 2, "q_proj", "lm_head"),
                        LAYERS * 2 * QUERY + 2 * (HIDDEN + 13)),
                at(Base.PLAIN, "lora-ga at random", lora(LoraGa.builder().direction(LoraGa.Direction.RANDOM)
                        .scale(LoraGa.Scale.UNIT).build(), 3, "o_proj", "gate_proj"),
                        LAYERS * 3 * (QUERY + MLP)),
                at(Base.PLAIN, "pissa with patterns", lora(new Pissa(OptionalInt.of(4)), 2, "q_proj", "up_proj")
                        .rankPattern(Map.of("up_proj", 3)), LAYERS * (2 * QUERY + 3 * MLP)));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(lora(LoraInit.OLORA, 4, "q_proj", "down_proj").dropout(0.5).build());
    }
}
