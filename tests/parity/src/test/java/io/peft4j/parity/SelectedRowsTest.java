package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A network that computes its last layer for some rows only, against the rows of the whole: hidden states and all
 * gradients.
 */
@ParameterizedClass
@MethodSource("io.peft4j.parity.KernelsUnderTest#all")
class SelectedRowsTest {
    /** Kernels may sum in another order for another number of rows: a few times 2^-24, through the layers. */
    private static final double ROUNDING = 5e-6;

    @org.junit.jupiter.params.Parameter
    KernelsUnderTest kernels;

    @ParameterizedTest
    @CsvSource({"tiny-llama, lora", "tiny-llama-untied, lora-untied", "tiny-llama-untied, modules-to-save-untied"})
    void hiddenStatesAndGradientsEqualThoseOfTheWhole(String name, String adapter) {
        BaseModel base = kernels.shared(name);
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter(adapter))) {
            List<TokenSequence> sequences = new ArrayList<>(Fixtures.chats(name));
            sequences.addAll(Fixtures.texts(name));
            for (PackedBatch batch : List.of(PackedBatch.of(sequences), PackedBatch.sharingPrefixes(sequences))) {
                int n = batch.rows();
                check(model, batch, batch.targets().rows());
                check(model, batch, batch.lastRows());
                check(model, batch, 0);
                check(model, batch, n - 1, 3, 3, n / 2);
                check(model, batch, IntStream.range(0, n).toArray());
                check(model, batch, IntStream.range(0, n).map(i -> n - 1 - i).toArray());
            }
        }
    }

    private static void check(PeftModel model, PackedBatch batch, int... rows) {
        List<float[]> whole = pass(model, batch, true, rows);
        List<float[]> selected = pass(model, batch, false, rows);
        assertEquals(whole.size(), selected.size());
        double scale = 0;
        for (int i = 0; i < whole.size(); i++) {
            scale = Math.max(scale, i == 0 ? 0 : norm(whole.get(i)));
        }
        assertTrue(scale > 0, "there is no gradient");
        for (int i = 0; i < whole.size(); i++) {
            assertEquals(0, distance(whole.get(i), selected.get(i)),
                    ROUNDING * (i == 0 ? norm(whole.get(i)) : scale), "result " + i + " of " + rows.length + " rows");
        }
    }

    /** The hidden states, then the gradients of their weighted sum. */
    private static List<float[]> pass(PeftModel model, PackedBatch batch, boolean whole, int... rows) {
        List<float[]> results = new ArrayList<>();
        model.trainableParameters().forEach(Parameter::clearGradient);
        try (ModelLease lease = model.lease();
                Workspace workspace = lease.engine().workspace(Priority.WORK);
                Tape tape = workspace.recording(DataType.FLOAT)) {
            workspace.compute(() -> {
                ForwardContext context = ForwardContext.training(tape, batch, lease.layers(), 0);
                Variable hidden = whole ? RowOps.gatherRows(tape, model.network().hidden(context), rows)
                        : model.network().hidden(context, rows);
                results.add(Arrays.toFloats(hidden.value()));
                Random random = new Random(1);
                float[] weights = new float[(int) hidden.value().length()];
                for (int i = 0; i < weights.length; i++) {
                    weights[i] = (float) random.nextGaussian();
                }
                try (INDArray gradient = Arrays.of(weights, hidden.value().shape())) {
                    tape.backward(hidden, gradient);
                }
                return results;
            });
        }
        model.trainableParameters().forEach(p -> results.add(Arrays.toFloats(p.gradient())));
        return results;
    }

    private static double norm(float[] values) {
        return distance(values, new float[values.length]);
    }

    private static double distance(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += Math.pow((double) a[i] - b[i], 2);
        }
        return Math.sqrt(sum);
    }
}
