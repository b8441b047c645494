package io.peft4j.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.LoopSelection;
import io.peft4j.core.kernel.Loops;
import io.peft4j.core.kernel.LoopsContract;
import io.peft4j.core.kernel.PlainLoops;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Runs in a JVM that was started with the module; {@link WithoutModuleTest} in one that was not. */
@Tag("processor")
class VectorLoopsTest extends LoopsContract {
    @Override
    protected Loops create() {
        return new VectorLoops();
    }

    @Test
    void switchThemselvesOn() {
        assertTrue(new VectorLoopProvider().available());
        assertEquals("vector", LoopSelection.create().name());
        assertTrue(loops().vectorized());
    }

    /** Exponentials of both are within two units in the last place, and fused additions round once less. */
    @Test
    void differFromPlainLoopsByAFewUnitsInTheLastPlace() {
        int length = 1037;
        Random random = new Random(3);
        float[] gate = new float[length];
        float[] up = new float[length];
        for (int i = 0; i < length; i++) {
            gate[i] = (float) (8 * random.nextGaussian());
            up[i] = (float) random.nextGaussian();
        }
        float[] mine = new float[length];
        float[] plain = new float[length];
        loops().siluMultiply(gate, up, mine, 0, length);
        new PlainLoops().siluMultiply(gate, up, plain, 0, length);
        for (int i = 0; i < length; i++) {
            assertEquals(plain[i], mine[i], 5 * Math.ulp(plain[i]), "gate " + gate[i]);
        }
    }
}
