package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What makes LoRA DoRA (<a href="https://arxiv.org/abs/2402.09353">2402.09353</a>): a trained magnitude m [out] for
 * each row of V = W + s B A, which begins at |V|. A row's factor is {@code g = m / |V|}. As in Hugging Face PEFT and
 * section 4.3 of the paper, |V| is a constant for the gradients.
 */
final class DoraMagnitude {
    /** Stored without {@code .weight}, as Hugging Face PEFT has it. */
    static final String NAME = "lora_magnitude_vector";

    private final DoraNorm norm;
    private final AdapterTensor a;
    private final AdapterTensor b;
    private final AdapterTensor magnitude;

    /** For A and B as they begin or were read. */
    DoraMagnitude(AdapterSetup setup, Slot slot, DoraNorm norm, AdapterTensor a, AdapterTensor b, int out) {
        this.norm = norm;
        this.a = a;
        this.b = b;
        this.magnitude = setup.tensor(slot, NAME, (values, random) -> {
            float[] norms = setup.base().engine().evaluate(this::norms);
            Arrays.write(values, 0, norms, 0, norms.length);
        }, out);
    }

    AdapterTensor tensor() {
        return magnitude;
    }

    /** {@code |V|} of this pass. */
    float[] norms(Tape tape) {
        return norm.compute(tape.kernels(), tape.arena(), a.parameter().value(), b.parameter().value());
    }

    /** {@code m / norms - offset}, as a value that m is trained through. */
    Variable factor(Tape tape, float[] norms, float offset) {
        Variable m = tape.parameter(magnitude.parameter());
        float[] values = factors(norms);
        for (int i = 0; i < values.length; i++) {
            values[i] -= offset;
        }
        INDArray result = tape.allocateFloat(values.length);
        Arrays.write(result, 0, values, 0, values.length);
        return tape.record(result, (out, dy) -> m.addGradient((dm, accumulate) -> {
            float[] gradient = Arrays.toFloats(dy);
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] /= divisor(norms[i]);
            }
            HeapRows.write(dm, gradient, accumulate);
        }), List.of(m));
    }

    private float[] factors(float[] norms) {
        float[] values = Arrays.toFloats(magnitude.parameter().value());
        for (int i = 0; i < values.length; i++) {
            values[i] /= divisor(norms[i]);
        }
        return values;
    }

    /** A row of zeros has no direction; its factor is 0 and not the quotient of two zeros. */
    private static float divisor(float norm) {
        return norm == 0 ? 1 : norm;
    }

    /** The factors, outside of a pass. */
    float[] factors(Engine engine) {
        return factors(engine.evaluate(this::norms));
    }
}
