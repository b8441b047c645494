package io.peft4j.methods;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.GradientCheck;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.peft.method.Initializer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The gradients of an LSTM layer; its values are held to PyTorch's by the fixtures of P-tuning. */
class LstmTest {
    private static final int STEPS = 4;
    private static final int IN = 3;
    private static final int WIDTH = 2;

    private final SplittableRandom random = new SplittableRandom(4);
    private final List<Parameter> parameters = new ArrayList<>();
    private final float[] weights = new float[STEPS * 2 * WIDTH];

    private void add(String name, long... shape) {
        INDArray values = Arrays.zeros(DataType.FLOAT, shape);
        Initializer.normal(0.7).fill(values, random);
        parameters.add(new Parameter(name, values));
    }

    private Variable run(Tape tape) {
        Variable[] v = parameters.stream().map(tape::parameter).toArray(Variable[]::new);
        return Lstm.run(tape, v[0], new Lstm.Direction(v[1], v[2], v[3], v[4]),
                new Lstm.Direction(v[5], v[6], v[7], v[8]));
    }

    private double projection() {
        try (Arena arena = new Arena();
                NaiveKernels kernels = new NaiveKernels();
                Tape tape = Tape.inference(kernels, arena, DataType.FLOAT)) {
            float[] values = Arrays.toFloats(run(tape).value());
            double sum = 0;
            for (int i = 0; i < values.length; i++) {
                sum += (double) values[i] * weights[i];
            }
            return sum;
        }
    }

    @Test
    void gradientsMatchCentralDifferences() {
        add("x", STEPS, IN);
        for (String direction : List.of("forward", "backward")) {
            add(direction + " w_ih", 4 * WIDTH, IN);
            add(direction + " w_hh", 4 * WIDTH, WIDTH);
            add(direction + " b_ih", 4 * WIDTH);
            add(direction + " b_hh", 4 * WIDTH);
        }
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) random.nextGaussian();
        }
        try (Arena arena = new Arena();
                NaiveKernels kernels = new NaiveKernels();
                Tape tape = Tape.recording(kernels, arena, DataType.FLOAT);
                INDArray gradient = Arrays.of(weights, STEPS, 2 * WIDTH)) {
            Variable y = run(tape);
            assertEquals(2 * WIDTH, y.columns());
            tape.backward(y, gradient);
        }
        for (Parameter parameter : parameters) {
            // Rounding of the result to f32 leaves this much of a difference quotient.
            GradientCheck.check(parameter.name(), parameter.value(), Arrays.toFloats(parameter.gradient()),
                    this::projection, 5e-3);
        }
        parameters.forEach(Parameter::close);
    }
}
