package io.peft4j.methods;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.method.TrainingHook;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Tokens of an example stay where they are allowed to be. */
class GuardedTokensTest {
    /** The same distances as in the paper's projection: epsilon times the root of H / 2048. */
    @Test
    void anUpdateStaysWithinItsDistance() {
        CptConfig config = CptConfig.builder().tokenIds(List.of(3, 1, 4)).types(List.of(1, 6, 4)).formatEpsilon(0.5)
                .epsilon(0.25).build();
        try (TinyModel base = new TinyModel(new TinyNetwork(1, false, false));
                PeftModel model = PeftModel.of(base, config)) {
            INDArray table = model.trainableParameters().get(0).value();
            float[] start = Arrays.toFloats(table);
            float[] moved = start.clone();
            for (int i = 0; i < moved.length; i++) {
                moved[i] += i % 3 - 0.5f;
            }
            Arrays.write(table, 0, moved, 0, moved.length);
            try (TrainingHook hook = model.adapter(PeftModel.DEFAULT_ADAPTER).training(1)) {
                hook.beforeUpdate();
                assertArrayEquals(new float[start.length], Arrays.toFloats(table), "an update is of differences");
                float[] back = new float[start.length];
                for (int i = 0; i < back.length; i++) {
                    back[i] = start[i] - moved[i];
                }
                Arrays.write(table, 0, back, 0, back.length);
                hook.afterUpdate(0, 1);
            }
            double unit = Math.sqrt(TinyNetwork.HIDDEN / 2048.0);
            float[] held = Arrays.toFloats(table);
            assertEquals(0.5 * unit, distance(held, moved, 0), 1e-6);
            assertEquals(0.25 * unit, distance(held, moved, 1), 1e-6);
            assertArrayEquals(java.util.Arrays.copyOfRange(moved, 2 * TinyNetwork.HIDDEN, moved.length),
                    java.util.Arrays.copyOfRange(held, 2 * TinyNetwork.HIDDEN, held.length));
        }
    }

    private static double distance(float[] a, float[] b, int token) {
        double sum = 0;
        for (int i = token * TinyNetwork.HIDDEN; i < (token + 1) * TinyNetwork.HIDDEN; i++) {
            sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
        }
        return Math.sqrt(sum);
    }
}
