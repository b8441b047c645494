package io.peft4j.core.autograd;

import io.peft4j.core.kernel.Kernels;
import java.util.List;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Elementwise operations on a tape; operands have equal shapes. */
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

    /** {@code alpha * x}. */
    public static Variable scale(Tape tape, Variable x, float alpha) {
        Kernels kernels = tape.kernels();
        return computed(tape, x, result -> kernels.scale(x.value(), alpha, result, false),
                (out, dy) -> x.addGradient((dx, accumulate) -> kernels.scale(dy, alpha, dx, accumulate)), List.of(x));
    }

    /** SwiGLU: {@code silu(gate) * up}; see {@link Kernels#siluMultiply}. */
    public static Variable siluMultiply(Tape tape, Variable gate, Variable up) {
        Kernels kernels = tape.kernels();
        Consumer<INDArray> forward = result -> kernels.siluMultiply(gate.value(), up.value(), result);
        return computed(tape, gate, forward, (out, dy) -> {
            INDArray dGate = tape.allocateLike(gate.value());
            INDArray dUp = tape.allocateLike(up.value());
            kernels.siluMultiplyBackward(dy, gate.value(), up.value(), dGate, dUp);
            gate.addTemporaryGradient(dGate);
            up.addTemporaryGradient(dUp);
        }, List.of(gate, up));
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
