package io.peft4j.core.kernel.support;

import static io.peft4j.core.kernel.support.KernelChecks.apart;
import static io.peft4j.core.kernel.support.KernelChecks.floatVector;
import static io.peft4j.core.kernel.support.KernelChecks.floats;
import static io.peft4j.core.kernel.support.KernelChecks.matrix;

import io.peft4j.core.kernel.PieceStates;
import io.peft4j.core.kernel.RowOrder;
import io.peft4j.core.kernel.ScanShape;
import io.peft4j.core.kernel.SequenceKernels.ScanInputs;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The checks of operations on sequences that {@link CheckedKernels} makes. */
final class SequenceChecks {
    private SequenceChecks() {
    }

    static void convolution(INDArray x, INDArray weight, Optional<INDArray> bias, RowOrder order, PieceStates states,
            INDArray y) {
        String operation = "convolution";
        matrix(operation, "x", x, order.rows(), -1);
        matrix(operation, "weight", weight, x.size(1), -1);
        floats(operation, "weight", weight);
        bias.ifPresent(b -> floatVector(operation, "bias", b, x.size(1)));
        matrix(operation, "y", y, x.size(0), x.size(1));
        apart(operation, y, x);
        states(operation, order, states, weight.size(1) - 1, x.size(1));
    }

    static void convolutionBackward(INDArray dy, INDArray weight, RowOrder order, INDArray dx) {
        String operation = "convolutionBackward";
        matrix(operation, "dy", dy, order.rows(), -1);
        matrix(operation, "weight", weight, dy.size(1), -1);
        floats(operation, "weight", weight);
        matrix(operation, "dx", dx, dy.size(0), dy.size(1));
        apart(operation, dx, dy);
    }

    static void scan(ScanShape shape, ScanInputs inputs, RowOrder order, PieceStates states, INDArray y) {
        inputs("scan", shape, inputs, order.rows(), "");
        matrix("scan", "y", y, order.rows(), shape.valueColumns());
        all(inputs).forEach(input -> apart("scan", y, input));
        states("scan", order, states, (long) shape.valueHeads() * shape.keySize(), shape.valueSize());
    }

    static void scanBackward(INDArray dy, ScanShape shape, ScanInputs inputs, RowOrder order, ScanInputs gradients) {
        String operation = "scanBackward";
        inputs(operation, shape, inputs, order.rows(), "");
        inputs(operation, shape, gradients, order.rows(), "gradient of ");
        matrix(operation, "dy", dy, order.rows(), shape.valueColumns());
        if (inputs.rate().isPresent() != gradients.rate().isPresent()) {
            throw new IllegalArgumentException("scanBackward: a rate needs a gradient, and only a rate does");
        }
        List<INDArray> results = all(gradients).toList();
        for (int i = 0; i < results.size(); i++) {
            INDArray result = results.get(i);
            apart(operation, result, dy);
            all(inputs).forEach(input -> apart(operation, result, input));
            results.subList(0, i).forEach(other -> apart(operation, result, other));
        }
    }

    private static Stream<INDArray> all(ScanInputs inputs) {
        return Stream.concat(Stream.of(inputs.queries(), inputs.keys(), inputs.values(), inputs.decay()),
                inputs.rate().stream());
    }

    private static void inputs(String operation, ScanShape shape, ScanInputs inputs, int rows, String what) {
        matrix(operation, what + "queries", inputs.queries(), rows, shape.keyColumns());
        matrix(operation, what + "keys", inputs.keys(), rows, shape.keyColumns());
        matrix(operation, what + "values", inputs.values(), rows, shape.valueColumns());
        matrix(operation, what + "decay", inputs.decay(), rows, shape.valueHeads());
        floats(operation, what + "decay", inputs.decay());
        inputs.rate().ifPresent(rate -> {
            matrix(operation, what + "rate", rate, rows, shape.valueHeads());
            floats(operation, what + "rate", rate);
        });
    }

    private static void states(String operation, RowOrder order, PieceStates states, long rows, long columns) {
        int pieces = order.pieces().size();
        if (!states.before().isEmpty() && states.before().size() != pieces
                || !states.after().isEmpty() && states.after().size() != pieces) {
            throw new IllegalArgumentException(operation + ": " + states.before().size() + " states before and "
                    + states.after().size() + " after " + pieces + " pieces");
        }
        Stream.concat(states.before().stream().flatMap(Optional::stream), states.after().stream()).forEach(state -> {
            matrix(operation, "state", state, rows, columns);
            floats(operation, "state", state);
        });
    }
}
