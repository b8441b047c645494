package io.peft4j.models.architecture;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.NormOps;
import io.peft4j.core.autograd.RoutingOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.nn.PackedBatch;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Makes one vector of the hidden states of each sequence. */
public final class Pooler {
    /** PyTorch's bound on the length that is divided by, squared. */
    private static final float SMALLEST = 1e-24f;

    private Pooler() {
    }

    /** The row of each sequence's first token. */
    public static int[] firstRows(PackedBatch batch) {
        return batch.layout().segments().stream().mapToInt(AttentionLayout.Segment::queryStart).toArray();
    }

    /** The vectors [B, H] of hidden states [N, H]. */
    public static Variable pooled(Tape tape, PackedBatch batch, Variable hidden, SentencePooling.Mode mode) {
        if (mode == SentencePooling.Mode.CLS) {
            return RowOps.gatherRows(tape, hidden, firstRows(batch));
        }
        if (mode == SentencePooling.Mode.LAST) {
            return RowOps.gatherRows(tape, hidden, batch.lastRows());
        }
        List<AttentionLayout.Segment> segments = batch.layout().segments();
        float[] weights = new float[batch.rows()];
        int[] sequences = new int[weights.length];
        for (int s = 0; s < segments.size(); s++) {
            int first = segments.get(s).queryStart();
            int length = segments.get(s).queries();
            for (int i = 0; i < length; i++) {
                sequences[first + i] = s;
                weights[first + i] = switch (mode) {
                    case MEAN_SQRT_LENGTH -> (float) (1 / Math.sqrt(length));
                    case WEIGHTED_MEAN -> (float) ((i + 1) / (length * (length + 1) / 2.0));
                    default -> 1f / length;
                };
            }
        }
        INDArray factors = tape.allocateFloat(weights.length);
        Arrays.write(factors, 0, weights, 0, weights.length);
        Variable weighted = ScaleOps.rows(tape, hidden, tape.constant(factors));
        return RoutingOps.scatterAdd(tape, List.of(weighted), List.of(sequences), segments.size());
    }

    /** Rows of length 1: an RMS norm whose weight is {@code 1 / sqrt(H)}. */
    static Variable normalized(Tape tape, Variable x) {
        INDArray weight = tape.arena().allocate(DataType.FLOAT, x.columns());
        float[] values = new float[x.columns()];
        java.util.Arrays.fill(values, (float) (1 / Math.sqrt(values.length)));
        Arrays.write(weight, 0, values, 0, values.length);
        return NormOps.rmsNorm(tape, x, tape.constant(weight), SMALLEST);
    }
}
