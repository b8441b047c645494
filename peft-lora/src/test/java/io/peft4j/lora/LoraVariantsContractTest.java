package io.peft4j.lora;

import static io.peft4j.core.peft.TinyNetwork.HIDDEN;
import static io.peft4j.core.peft.TinyNetwork.INNER;
import static io.peft4j.core.peft.TinyNetwork.KEYS;
import static io.peft4j.core.peft.TinyNetwork.LAYERS;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.lora.init.LoraInit;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** KaSA, BD-LoRA, VeLoRA and MonteCLoRA keep what every method promises. */
class LoraVariantsContractTest extends PeftFilesContract {
    private static final LoraConfig KASA = LoraConfig.builder().rank(2).kasa(new Kasa(1e-4, 1e-3)).build();
    private static final LoraConfig VELORA = LoraConfig.builder().rank(2).targetModules("up_proj")
            .velora(new Velora(3, 2, Velora.Direction.AVERAGE)).build();
    private static final LoraConfig MONTECLORA = LoraConfig.builder().rank(3).targetModules("v_proj")
            .monteclora(Monteclora.of(4)).build();

    private static LoraConfig blocks(int rank, int n, boolean strict, String... targets) {
        return LoraConfig.builder().rank(rank).alpha(3).targetModules(targets)
                .blocks(new BlockDiagonal(List.of("o_proj"), List.of("layers.0.self_attn.k_proj", "up"), n, strict))
                .build();
    }

    @Override
    protected List<Case> cases() {
        return List.of(
                new Case("KaSA", Base.PLAIN, KASA, false, true, LAYERS * (2 * (3 * HIDDEN + KEYS) + 4)),
                new Case("KaSA, random start", Base.BIASED, KASA.toBuilder().initialization(LoraInit.RANDOM)
                        .targetModules("up_proj").build(), false, true, LAYERS * (2 * (HIDDEN + INNER) + 2)),
                new Case("BD-LoRA", Base.PLAIN, blocks(4, 2, true, "o_proj", "up_proj"), true, true,
                        LAYERS * 4 * (HIDDEN / 2 + HIDDEN + HIDDEN + INNER / 2)),
                new Case("VeLoRA", Base.BIASED, VELORA, true, true, LAYERS * 2 * (HIDDEN + INNER)),
                new Case("MonteCLoRA", Base.PLAIN, MONTECLORA, true, true, LAYERS * (3 * (HIDDEN + KEYS + 1) + 4)),
                new Case("BD-LoRA beside LoRA", Base.BIASED, blocks(2, 2, false, "k_proj"), true, true,
                        2 * (HIDDEN + KEYS / 2) + (LAYERS - 1) * 2 * (HIDDEN + KEYS)));
    }

    /** What VeLoRA's A learns by is none, and MonteCLoRA has noise. */
    @Override
    protected boolean isDerivative(Parameter parameter) {
        return !parameter.name().endsWith("up_proj.lora_A.weight") && !parameter.name().contains("v_proj.lora");
    }

    @Override
    protected boolean isRandom(Case test) {
        return test.config() == MONTECLORA;
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(KASA.toBuilder().dropout(0.5).build(), VELORA.toBuilder().dropout(0.5).build(),
                MONTECLORA.toBuilder().monteclora(new Monteclora(2, false, 1, 0.2, 1, 1)).build());
    }

    @Test
    void contradictionsAreRefused() {
        String message = assertThrows(ConfigurationException.class, () -> KASA.toBuilder().dora(true).build())
                .getMessage();
        assertTrue(message.contains("kasa_config") && message.contains("use_dora"), message);
        assertThrows(ConfigurationException.class, () -> new BlockDiagonal(List.of("q"), List.of("q"), 2, true));
    }
}
