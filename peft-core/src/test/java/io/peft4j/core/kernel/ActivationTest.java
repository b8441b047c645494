package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import org.junit.jupiter.api.Test;

/** Activations by the names that configurations use. */
class ActivationTest {
    @Test
    void namesOfTransformersAreKnown() {
        assertEquals(Activation.SILU, Activation.of("swish"));
        assertEquals(Activation.GELU, Activation.of("gelu"));
        assertEquals(Activation.GELU_TANH, Activation.of("gelu_new"));
    }

    @Test
    void anUnknownNameEndsInAnErrorThatListsTheKnownOnes() {
        ConfigurationException error = assertThrows(ConfigurationException.class, () -> Activation.of("gleu"));
        assertTrue(error.getMessage().startsWith("unknown activation 'gleu'; use one of [gelu, "), error.getMessage());
    }

    @Test
    void theErrorFunctionIsExact() {
        // Values of Python's math.erfc.
        double[][] known = {{0, 1}, {0.5, 0.4795001221869535}, {1, 0.15729920705028513}, {2, 0.004677734981047266},
            {2.4, 6.885138966450789e-4}, {2.6, 2.3603441652934908e-4}, {4, 1.541725790028002e-8}, {-1,
                1.842700792949715}};
        for (double[] pair : known) {
            assertEquals(pair[1], NaiveActivations.erfc(pair[0]), 1e-12 * pair[1] + 1e-15, "erfc of " + pair[0]);
        }
    }
}
