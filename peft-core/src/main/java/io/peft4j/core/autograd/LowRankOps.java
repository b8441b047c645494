package io.peft4j.core.autograd;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.MatrixKernels.LowRankPart;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Low-rank updates on a tape that differ from row to row. */
@Internal(shared = true)
public final class LowRankOps {
    private LowRankOps() {
    }

    /**
     * An update of some rows.
     *
     * @param from the first row
     * @param to the row behind the last
     * @param a [r, I]
     * @param b [O, r]
     * @param scale factor of the update
     */
    public record RowUpdate(int from, int to, Variable a, Variable b, float scale) {
    }

    /**
     * {@link MatrixOps#addLowRank} on some rows of x [N, I] and y [N, O], each update with its own rows, in place over
     * y; other rows of y stay as they are.
     *
     * @param updates with ascending rows that do not overlap
     */
    public static Variable addByRows(Tape tape, Variable y, Variable x, List<RowUpdate> updates) {
        if (updates.isEmpty()) {
            return y;
        }
        Kernels kernels = tape.kernels();
        List<LowRankPart> parts = updates.stream().map(u -> new LowRankPart(u.from, u.to, u.a.value(), u.b.value(),
                u.scale, tape.allocateFloat(u.to - u.from, u.a.rows()))).toList();
        kernels.lowRankByRows(x.value(), parts, y.value());
        List<Variable> inputs = new ArrayList<>(List.of(y, x));
        updates.stream().flatMap(u -> Stream.of(u.a, u.b)).distinct().forEach(inputs::add);
        return tape.recordInPlace(y, (out, dy) -> {
            y.addGradientOf(out);
            if (inputs.stream().skip(1).allMatch(Variable::requiresGradient)) {
                together(tape, x, updates, parts, dy);
            } else {
                oneByOne(tape, x, updates, parts, dy);
            }
        }, inputs, parts.stream().map(LowRankPart::h).toArray(INDArray[]::new));
    }

    private static void together(Tape tape, Variable x, List<RowUpdate> updates, List<LowRankPart> parts, INDArray dy) {
        Map<Variable, INDArray> trained = new IdentityHashMap<>();
        updates.stream().flatMap(u -> Stream.of(u.a, u.b)).forEach(variable -> trained.computeIfAbsent(variable,
                v -> gradientOf(v)));
        List<LowRankPart.Gradient> gradients = updates.stream().map(u -> new LowRankPart.Gradient(
                tape.allocateFloat(u.to - u.from, u.a.rows()), trained.get(u.a), trained.get(u.b))).toList();
        x.addGradient((dx, accumulate) -> {
            clearUnless(accumulate, dx);
            tape.kernels().lowRankByRowsBackward(dy, x.value(), parts, gradients, dx);
        });
        gradients.forEach(gradient -> tape.free(gradient.dh()));
    }

    /** The array of a gradient that is going to be added to; it holds zeros where none has arrived yet. */
    private static INDArray gradientOf(Variable variable) {
        INDArray[] array = new INDArray[1];
        variable.addGradient((gradient, accumulate) -> {
            clearUnless(accumulate, gradient);
            array[0] = gradient;
        });
        return array[0];
    }

    private static void oneByOne(Tape tape, Variable x, List<RowUpdate> updates, List<LowRankPart> parts, INDArray dy) {
        Kernels kernels = tape.kernels();
        for (int i = 0; i < parts.size(); i++) {
            LowRankPart part = parts.get(i);
            RowUpdate update = updates.get(i);
            INDArray own = part.of(dy);
            INDArray dh = tape.allocateFloat(part.h().shape());
            update.b.addGradient((db, accumulate) -> kernels.matmul(own, true, part.h(), false, db, part.scale(),
                    accumulate));
            kernels.matmul(own, false, part.b(), false, dh, part.scale(), false);
            update.a.addGradient((da, accumulate) -> kernels.matmul(dh, true, part.of(x.value()), false, da, 1f,
                    accumulate));
            x.addGradient((dx, accumulate) -> {
                clearUnless(accumulate, dx);
                kernels.matmul(dh, false, part.a(), false, part.of(dx), 1f, true);
            });
            tape.free(dh);
        }
    }

    private static void clearUnless(boolean accumulate, INDArray gradient) {
        if (!accumulate) {
            Arrays.clear(gradient);
        }
    }
}
