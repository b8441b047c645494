package io.peft4j.core.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Losses and gradients of smoothed labels against PyTorch's; the fixtures' README says how they were made. */
class SmoothedLabelsTest {
    private static final Path FIXTURE = Path.of("..", "peft-train", "src", "test", "resources", "fixtures", "updates",
            "smoothing.json");

    @Test
    void lossesAndGradientsMatchPyTorch() throws IOException {
        JsonNode fixture = new ObjectMapper().readTree(FIXTURE.toFile());
        int[] targets = new ObjectMapper().convertValue(fixture.get("targets"), int[].class);
        float[] weights = new ObjectMapper().convertValue(fixture.get("weights"), float[].class);
        for (JsonNode row : fixture.get("rows")) {
            float[] losses = new float[targets.length];
            try (Kernels kernels = new NaiveKernels();
                    INDArray logits = Arrays.of(flat(fixture.get("logits")), targets.length, 11)) {
                new SmoothedLabels(row.get("label_smoothing").asDouble()).gradient(kernels, logits, targets, weights,
                        losses, new boolean[losses.length]);
                // Logits of about 10 have a rounding of 1e-6.
                assertArrayEquals(flat(row.get("gradient")), Arrays.toFloats(logits), 1e-6f);
            }
            assertArrayEquals(new ObjectMapper().convertValue(row.get("losses"), float[].class), losses, 3e-6f);
        }
        assertEquals(3, fixture.get("rows").size());
    }

    private static float[] flat(JsonNode rows) {
        float[] all = new float[rows.size() * rows.get(0).size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) rows.get(i / rows.get(0).size()).get(i % rows.get(0).size()).asDouble();
        }
        return all;
    }
}
