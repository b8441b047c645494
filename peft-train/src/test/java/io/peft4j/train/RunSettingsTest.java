package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.Kernels;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RunSettingsTest {
    @Test
    void aChoiceByTimingNamesThePropertyThatRepeatsIt() {
        RunSettings begun = new RunSettings(Map.of(Kernels.BF16_PRODUCTS, "multiply", "seed", "1"));
        RunSettings now = begun.with(Map.of(Kernels.BF16_PRODUCTS, "widen"));
        Path checkpoint = Path.of("checkpoint-3");
        ConfigurationException e = assertThrows(ConfigurationException.class,
                () -> now.requireSame(begun, checkpoint));

        assertEquals("cannot resume from checkpoint-3: settings differ: bf16_products is widen, in the run multiply "
                + "(-Dpeft4j.onednn.bf16=multiply). Use the same options, data, base and adapter, or start again in "
                + "another folder", e.getMessage());
    }
}
