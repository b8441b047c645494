package io.peft4j.core.autograd;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.Kernels;
import java.util.List;
import java.util.function.Consumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Elementwise operations on a tape; operands have equal shapes. */
@Internal(shared = true)
public final class ElementwiseOps {
    private ElementwiseOps() {
    }

    /** {@code a + b} in place over b, as a residual connection adds a layer's output. Both get the gradient. */
    public static Variable addInto(Tape tape, Variable a, Variable b) {
        tape.kernels().add(a.value(), b.value(), b.value());
        return tape.recordInPlace(b, (out, dy) -> {
            b.addGradientOf(out);
            a.addGradientOf(out);
        }, List.of(a, b));
    }

    /** {@code a + b} in a new array. */
    public static Variable add(Tape tape, Variable a, Variable b) {
        INDArray y = tape.allocateLike(a.value());
        tape.kernels().add(a.value(), b.value(), y);
        return tape.record(y, (out, dy) -> {
            a.addGradientOf(out);
            b.addGradientOf(out);
        }, List.of(a, b));
    }

    /** {@code a * b}, elementwise. Gradients: {@code da = dy * b}, {@code db = dy * a}. */
    public static Variable multiply(Tape tape, Variable a, Variable b) {
        Kernels kernels = tape.kernels();
        Consumer<INDArray> forward = result -> kernels.multiply(a.value(), b.value(), result, false);
        return computed(tape, a, forward, (out, dy) -> {
            a.addGradient((da, accumulate) -> kernels.multiply(dy, b.value(), da, accumulate));
            b.addGradient((db, accumulate) -> kernels.multiply(dy, a.value(), db, accumulate));
        }, List.of(a, b));
    }

    /** {@code x + offset}; x itself where the offset is 0. */
    public static Variable shifted(Tape tape, Variable x, float offset) {
        if (offset == 0) {
            return x;
        }
        INDArray offsets = tape.allocateFloat(x.value().shape());
        float[] values = new float[Math.toIntExact(offsets.length())];
        java.util.Arrays.fill(values, offset);
        Arrays.write(offsets, 0, values, 0, values.length);
        return add(tape, x, tape.record(offsets, (out, dy) -> {
        }, List.of()));
    }

    /** {@code alpha * x}. */
    public static Variable scale(Tape tape, Variable x, float alpha) {
        Kernels kernels = tape.kernels();
        return computed(tape, x, result -> kernels.scale(x.value(), alpha, result, false),
                (out, dy) -> x.addGradient((dx, accumulate) -> kernels.scale(dy, alpha, dx, accumulate)), List.of(x));
    }

    /** The same values as FLOAT. */
    public static Variable inFloat(Tape tape, Variable x) {
        if (x.value().dataType() == DataType.FLOAT) {
            return x;
        }
        INDArray y = tape.allocateFloat(x.value().shape());
        tape.kernels().scale(x.value(), 1f, y, false);
        return tape.record(y,
                (out, dy) -> x.addGradient((dx, accumulate) -> tape.kernels().scale(dy, 1f, dx, accumulate)),
                List.of(x));
    }

    /** {@code f(x)}; see {@link Kernels#activate}. */
    public static Variable activate(Tape tape, Activation f, Variable x) {
        Kernels kernels = tape.kernels();
        return computed(tape, x, result -> kernels.activate(f, x.value(), result), (out, dy) -> x.addGradient(
                (dx, accumulate) -> kernels.activateBackward(f, dy, x.value(), dx, accumulate)), List.of(x));
    }

    /** A gated linear unit, {@code f(gate) * up}: SwiGLU, GeGLU; see {@link Kernels#gated}. */
    public static Variable gated(Tape tape, Activation f, Variable gate, Variable up) {
        Kernels kernels = tape.kernels();
        return gate(tape, gate, up, result -> kernels.gated(f, gate.value(), up.value(), result),
                (dy, dGate, dUp) -> kernels.gatedBackward(f, dy, gate.value(), up.value(), dGate, dUp));
    }

    /** The gate of gpt-oss; see {@link Kernels#clampedGate}. */
    public static Variable clampedGate(Tape tape, Variable gate, Variable up, float alpha, float limit) {
        Kernels kernels = tape.kernels();
        return gate(tape, gate, up, result -> kernels.clampedGate(gate.value(), up.value(), alpha, limit, result),
                (dy, dGate, dUp) -> kernels.clampedGateBackward(dy, gate.value(), up.value(), alpha, limit, dGate,
                        dUp));
    }

    /** Writes the gradients of a gate and of what it lets through. */
    @FunctionalInterface
    private interface GateGradients {
        void write(INDArray dy, INDArray dGate, INDArray dUp);
    }

    private static Variable gate(Tape tape, Variable gate, Variable up, Consumer<INDArray> forward,
            GateGradients gradients) {
        return computed(tape, gate, forward, (out, dy) -> {
            INDArray dGate = tape.allocateLike(gate.value());
            INDArray dUp = tape.allocateLike(up.value());
            gradients.write(dy, dGate, dUp);
            gate.addTemporaryGradient(dGate);
            up.addTemporaryGradient(dUp);
        }, List.of(gate, up));
    }

    /** {@code cap * tanh(x / cap)}; see {@link Kernels#softCap}. Its gradient reads the result. */
    public static Variable softCap(Tape tape, Variable x, float cap) {
        Kernels kernels = tape.kernels();
        Variable y = computed(tape, x, result -> kernels.softCap(x.value(), cap, result), (out, dy) -> {
            INDArray dx = tape.allocateLike(x.value());
            kernels.softCapBackward(dy, out.value(), cap, dx);
            x.addTemporaryGradient(dx);
        }, List.of(x));
        if (y.requiresGradient()) {
            y.markRead();
        }
        return y;
    }

    /** {@code x} where it is within {@code limit} of 0, else the limit; computed on the heap, since few models do. */
    public static Variable clamp(Tape tape, Variable x, float limit) {
        return computed(tape, x, result -> {
            float[] values = Arrays.toFloats(x.value());
            for (int i = 0; i < values.length; i++) {
                values[i] = Math.max(-limit, Math.min(limit, values[i]));
            }
            Arrays.write(result, 0, values, 0, values.length);
        }, (out, dy) -> {
            float[] values = Arrays.toFloats(x.value());
            float[] gradient = Arrays.toFloats(dy);
            for (int i = 0; i < values.length; i++) {
                gradient[i] = Math.abs(values[i]) <= limit ? gradient[i] : 0;
            }
            INDArray dx = tape.allocateLike(x.value());
            Arrays.write(dx, 0, gradient, 0, gradient.length);
            x.addTemporaryGradient(dx);
        }, List.of(x));
    }

    /** Inverted dropout with probability {@code p}; see {@link Kernels#dropout}. */
    public static Variable dropout(Tape tape, Variable x, float p, long seed) {
        Kernels kernels = tape.kernels();
        return computed(tape, x, result -> kernels.dropout(x.value(), p, seed, result, false),
                (out, dy) -> x.addGradient((dx, accumulate) -> kernels.dropout(dy, p, seed, dx, accumulate)),
                List.of(x));
    }

    /** A result of the shape and type of {@code like} that is cheap enough to be computed twice. */
    private static Variable computed(Tape tape, Variable like, Consumer<INDArray> forward, Tape.Backward backward,
            List<Variable> inputs) {
        INDArray result = tape.allocateLike(like.value());
        forward.accept(result);
        return tape.recordRecomputable(result, forward, backward, inputs);
    }
}
