package io.peft4j.lora;

import io.peft4j.core.peft.ObjectFormat;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.Key;
import java.util.Collections;
import java.util.List;

/**
 * BD-LoRA, {@code use_bdlora} of {@link LoraConfig}: one of the two matrices of a layer has n blocks on its diagonal
 * and zeros elsewhere, so that servers that split a layer between devices exchange less: A of n blocks [r / n, in / n],
 * or B of n blocks [out / n, r / n]. {@code r * (in / n + out)} or {@code r * (in + out / n)} parameters a layer.
 *
 * @param onA {@code target_modules_bd_a}: parts of the paths of layers whose A has blocks
 * @param onB {@code target_modules_bd_b}: parts of the paths of layers whose B has blocks
 * @param blocks {@code nblocks}: n, a divisor of r and of in or out; default 1
 * @param strict {@code match_strict}: whether each layer must be one of the two; otherwise the others have plain LoRA;
 *     default true
 */
public record BlockDiagonal(@Key("target_modules_bd_a") List<String> onA, @Key("target_modules_bd_b") List<String> onB,
        @Key(value = "nblocks", fallback = "1") int blocks,
        @Key(value = "match_strict", fallback = "true") boolean strict) {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when n is below 1, or a name stands for both matrices
     */
    public BlockDiagonal {
        onA = List.copyOf(onA);
        onB = List.copyOf(onB);
        Checks.atLeast(1, "nblocks", blocks);
        Checks.require(Collections.disjoint(onA, onB), "target_modules_bd_a " + onA + " and target_modules_bd_b " + onB
                + " have a name in common");
    }

    /** An object, or null. */
    static final class Format extends ObjectFormat<BlockDiagonal> {
        Format() {
            super(BlockDiagonal.class);
        }
    }
}
