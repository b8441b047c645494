package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.array.Arrays;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Activations and gates. */
interface ActivationContract extends KernelsUnderTest {
    /** Rows and columns: one element, less than a tile, more than several tiles. */
    int[][] ACTIVATION_SIZES = {{1, 1}, {3, 341}, {2, 2053}};

    @Test
    default void activations() {
        for (Activation f : Activation.values()) {
            for (int[] s : ACTIVATION_SIZES) {
                for (DataType type : TYPES) {
                    for (DataType otherType : TYPES) {
                        checkActivation(f, s, type, otherType, 3);
                    }
                }
            }
            checkActivation(f, new int[] {3, 341}, DataType.FLOAT, DataType.FLOAT, 30);
        }
    }

    private void checkActivation(Activation f, int[] s, DataType type, DataType otherType, double deviation) {
        try (KernelCase c = new KernelCase(this, "activation", f, s[0], s[1], type, otherType, deviation)) {
            INDArray x = c.scaled(type, deviation, s[0], s[1]);
            INDArray y = c.normal(otherType, s[0], s[1]);
            c.compare(k -> k.activate(f, x, y), y);
            // A slope is a difference of terms of size 1.
            c.termsOfSize(1);
            INDArray dy = c.normal(otherType, s[0], s[1]);
            INDArray dx = c.normal(type, s[0], s[1]);
            c.compare(k -> k.activateBackward(f, dy, x, dx, false), dx);
            c.compare(k -> k.activateBackward(f, dy, x, dx, true), dx);
            c.compare(k -> k.activate(f, x, x), x);
        }
    }

    @Test
    default void gates() {
        for (Activation f : Activation.values()) {
            for (int[] s : ACTIVATION_SIZES) {
                for (DataType type : TYPES) {
                    for (DataType otherType : TYPES) {
                        checkGate(f, s, type, otherType, 2);
                    }
                }
            }
        }
        for (int[] s : ElementwiseContract.SIZES) {
            checkGate(Activation.SILU, s, DataType.FLOAT, DataType.FLOAT, 30);
            checkGate(Activation.SILU, s, DataType.BFLOAT16, DataType.FLOAT, 1);
            checkGate(Activation.GELU, s, DataType.BFLOAT16, DataType.BFLOAT16, 1);
        }
    }

    private void checkGate(Activation f, int[] s, DataType type, DataType otherType, double deviation) {
        try (KernelCase c = new KernelCase(this, "gate", f, s[0], s[1], type, otherType, deviation)) {
            INDArray gate = c.scaled(type, deviation, s[0], s[1]);
            INDArray up = c.normal(type, s[0], s[1]);
            INDArray y = c.normal(otherType, s[0], s[1]);
            c.compare(k -> k.gated(f, gate, up, y), y);
            INDArray dGate = c.normal(type, s[0], s[1]);
            INDArray dUp = c.normal(type, s[0], s[1]);
            c.compare(k -> k.gatedBackward(f, y, gate, up, dGate, dUp), dGate, dUp);
            c.compare(k -> k.gatedBackward(f, y, gate, up, gate, up), gate, up);
        }
    }

    @Test
    default void clampedGates() {
        for (int[] s : ACTIVATION_SIZES) {
            for (DataType type : TYPES) {
                for (DataType otherType : TYPES) {
                    try (KernelCase c = new KernelCase(this, "clamped gate", s[0], s[1], type, otherType)) {
                        INDArray gate = c.scaled(type, 5, s[0], s[1]);
                        INDArray up = c.scaled(type, 5, s[0], s[1]);
                        INDArray y = c.normal(otherType, s[0], s[1]);
                        c.compare(k -> k.clampedGate(gate, up, 1.702f, 7, y), y);
                        INDArray dGate = c.normal(type, s[0], s[1]);
                        INDArray dUp = c.normal(type, s[0], s[1]);
                        c.compare(k -> k.clampedGateBackward(y, gate, up, 1.702f, 7, dGate, dUp), dGate, dUp);
                        c.compare(k -> k.clampedGateBackward(y, gate, up, 1.702f, 7, gate, up), gate, up);
                    }
                }
            }
        }
    }

    @Test
    default void softCaps() {
        for (int[] s : ACTIVATION_SIZES) {
            for (DataType type : TYPES) {
                for (float cap : new float[] {0.5f, 30}) {
                    try (KernelCase c = new KernelCase(this, "soft cap", s[0], s[1], type, cap)) {
                        INDArray x = c.scaled(type, 2, s[0], s[1]);
                        INDArray y = c.normal(type, s[0], s[1]);
                        c.compare(k -> k.softCap(x, cap, y), y);
                        kernels().softCap(x, cap, y);
                        INDArray dy = c.normal(type, s[0], s[1]);
                        INDArray dx = c.normal(type, s[0], s[1]);
                        c.compare(k -> k.softCapBackward(dy, y, cap, dx), dx);
                        c.compare(k -> k.softCapBackward(dy, y, cap, dy), dy);
                        c.compare(k -> k.softCap(x, cap, x), x);
                    }
                }
            }
        }
    }

    /** All values stay finite and become 0, 1 or x, and the slopes 0 or 1, also where f32 does not hold a cube. */
    @Test
    default void activationsOfExtremeValues() {
        float[] extremes = {-1e20f, -1e13f, -1e10f, -1e4f, -200, -89, -88, 88, 89, 200, 1e4f, 1e10f, 1e13f, 1e20f};
        for (Activation f : Activation.values()) {
            try (KernelCase c = new KernelCase(this, "extremes", f)) {
                INDArray x = c.normal(DataType.FLOAT, extremes.length);
                INDArray y = c.normal(DataType.FLOAT, extremes.length);
                INDArray dx = c.normal(DataType.FLOAT, extremes.length);
                INDArray dy = c.normal(DataType.FLOAT, extremes.length);
                float[] ones = new float[extremes.length];
                java.util.Arrays.fill(ones, 1);
                Arrays.write(x, 0, extremes, 0, extremes.length);
                Arrays.write(dy, 0, ones, 0, extremes.length);
                kernels().activate(f, x, y);
                kernels().activateBackward(f, dy, x, dx, false);
                for (int i = 0; i < extremes.length; i++) {
                    // A square of the largest is infinite in FLOAT.
                    double value = (float) NaiveActivations.value(f, extremes[i]);
                    double size = Math.min(Float.MAX_VALUE, Math.abs(value));
                    double slope = NaiveActivations.slope(f, extremes[i]);
                    // GELU's error function is within 4e-7 of -1, and is multiplied with 8 there.
                    assertEquals(value, Arrays.toFloats(y)[i], 1e-6 * size + 2e-6, f + " of " + extremes[i]);
                    assertEquals(slope, Arrays.toFloats(dx)[i], 2e-6, f + ", slope at " + extremes[i]);
                }
            }
        }
    }

    @Test
    default void siluOfExtremeGates() {
        try (KernelCase c = new KernelCase(this, "extreme gates")) {
            float[] gates = {-1e30f, -200, -89, -88, -20, -0f, 0, 1e-30f, 20, 88, 89, 200, 1e30f};
            INDArray gate = c.normal(DataType.FLOAT, gates.length);
            INDArray up = c.normal(DataType.FLOAT, gates.length);
            INDArray y = c.normal(DataType.FLOAT, gates.length);
            Arrays.write(gate, 0, gates, 0, gates.length);
            Arrays.write(up, 0, new float[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 0, gates.length);
            kernels().gated(Activation.SILU, gate, up, y);
            float[] actual = Arrays.toFloats(y);
            for (int i = 0; i < gates.length; i++) {
                double expected = gates[i] / (1 + Math.exp(-(double) gates[i]));
                // Below -88 the result vanishes; that it is not exactly the tiny true value does not matter.
                assertEquals(expected, actual[i], 1e-6 * Math.abs(expected) + 1e-7, "silu of " + gates[i]);
            }
            Arrays.write(up, 0, gates, 0, gates.length);
            INDArray dGate = c.normal(DataType.FLOAT, gates.length);
            INDArray dUp = c.normal(DataType.FLOAT, gates.length);
            Arrays.write(y, 0, new float[] {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0}, 0, gates.length);
            c.compare(k -> k.gatedBackward(Activation.SILU, y, gate, up, dGate, dUp), dGate, dUp);
        }
    }
}
