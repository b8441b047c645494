package io.peft4j.onednn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.Kernels.BFloat16Speed;
import org.bytedeco.dnnl.engine;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** How products of bf16 are computed, as asked for and as found out. */
@Tag("processor")
class BFloat16ProductsTest {
    private static ThreadTeam team() {
        return new ThreadTeam(1, new engine(engine.kind.cpu, 0));
    }

    @Test
    void bothWaysAreForced() {
        try (ThreadTeam team = team();
                INDArray narrow = Arrays.zeros(DataType.BFLOAT16, 16, 4);
                INDArray wide = Arrays.zeros(DataType.FLOAT, 16, 4)) {
            BFloat16Products widening = BFloat16Products.choose(team, "widen");
            assertEquals(DataType.FLOAT, widening.type(16, narrow));
            assertTrue(widening.speed() != BFloat16Speed.FASTER);
            if (DnnlLibrary.multipliesBFloat16()) {
                BFloat16Products multiplying = BFloat16Products.choose(team, "multiply");
                assertEquals(DataType.BFLOAT16, multiplying.type(16, wide, narrow));
                assertEquals(DataType.FLOAT, multiplying.type(16, wide));
                assertEquals(BFloat16Speed.FASTER, multiplying.speed());
            } else {
                assertThrows(ConfigurationException.class, () -> BFloat16Products.choose(team, "multiply"));
            }
        }
    }

    @Test
    void measuresByDefault() {
        try (ThreadTeam team = team()) {
            BFloat16Speed found = BFloat16Products.choose(team, "auto").speed();
            assertTrue(DnnlLibrary.multipliesBFloat16() || found != BFloat16Speed.FASTER, found.name());
        }
        try (Kernels kernels = new OneDnnKernels(1, "auto"); Kernels other = new OneDnnKernels(1, "")) {
            assertEquals(kernels.bfloat16Speed(), other.bfloat16Speed());
        }
    }

    @Test
    void unknownSettingsAreRefused() {
        ConfigurationException thrown = assertThrows(ConfigurationException.class,
                () -> new OneDnnKernels(1, "narrow"));
        assertTrue(thrown.getMessage().contains("narrow") && thrown.getMessage().contains("widen"),
                thrown.getMessage());
    }
}
