package io.peft4j.core.kernel;

import static io.peft4j.core.kernel.ArgumentCheck.shape;
import static io.peft4j.core.kernel.ArgumentCheck.sizes;

import io.peft4j.core.kernel.MatrixKernels.LowRankPart;
import io.peft4j.core.kernel.SequenceKernels.ScanInputs;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The checks that {@link CheckedKernels} makes: a table of what the arrays of each operation must be, and below it what
 * is to be checked besides.
 */
final class KernelChecks {
    // ---- matrix products

    static final ArgumentCheck LINEAR = check("linear", "IO", "x[N,I] y[N,O]").apart("y", "x");
    static final ArgumentCheck LINEAR_BACKWARD = check("linearBackward", "IO", "dy[N,O] dx[N,I]").apart("dx", "dy");
    static final ArgumentCheck LOW_RANK = check("lowRank", "", "x[N,I] a[r,I] b[O,r] h[N,r]f y[N,O]")
            .apart("y h", "x a b h");
    static final ArgumentCheck LOW_RANK_BACKWARD = check("lowRankBackward", "",
            "x[N,I] a[r,I] b[O,r] h[N,r]f dy[N,O] dh[N,r]f dx[N,I] da[r,I]f db[O,r]f")
            .apart("dh dx da db", "dy x a b h dh dx da db");
    private static final ArgumentCheck BY_ROWS = check("lowRankByRows", "", "x[N,I] y[N,O]").apart("y", "x");
    private static final ArgumentCheck PART = check("lowRankByRows", "IOn", "a[r,I] b[O,r] h[n,r]f");
    private static final ArgumentCheck BY_ROWS_BACKWARD = check("lowRankByRowsBackward", "",
            "x[N,I] dy[N,O] dx[N,I]").apart("dy dx", "x dy");
    private static final ArgumentCheck PART_BACKWARD = check("lowRankByRowsBackward", "IOn",
            "a[r,I] b[O,r] h[n,r]f dh[n,r]f da[r,I]f db[O,r]f");
    private static final ArgumentCheck PRODUCT = check("matmul", "", "a[M,K] b[K,L] c[M,L]").apart("c", "a b");
    private static final ArgumentCheck PRODUCT_A = check("matmul", "", "a[K,M] b[K,L] c[M,L]").apart("c", "a b");
    private static final ArgumentCheck PRODUCT_B = check("matmul", "", "a[M,K] b[L,K] c[M,L]").apart("c", "a b");
    private static final ArgumentCheck PRODUCT_A_B = check("matmul", "", "a[K,M] b[L,K] c[M,L]").apart("c", "a b");

    // ---- rows

    static final ArgumentCheck ADD_BIAS = check("addBias", "", "y[N,O] bias[O]").apart("y", "bias");
    static final ArgumentCheck ADD_BIAS_BACKWARD = check("addBiasBackward", "", "dy[N,O] db[O]").apart("db", "dy");
    static final ArgumentCheck GATHER = check("gather", "NH", "y[N,H]");
    static final ArgumentCheck GATHER_ROWS = check("gatherRows", "N", "x[M,H] y[N,H]").apart("y", "x");
    static final ArgumentCheck GATHER_ROWS_BACKWARD = check("gatherRowsBackward", "N", "dx[M,H] dy[N,H]")
            .apart("dx", "dy");
    private static final ArgumentCheck COPY_COLUMNS = check("copyColumns", "", "x[N,I] y[N,O]").apart("y", "x");
    static final ArgumentCheck SOFTMAX = check("softmax", "", "x[N,O] y[N,O]").apart("y", "x");
    static final ArgumentCheck SOFTMAX_BACKWARD = check("softmaxBackward", "", "y[N,O] dy[N,O] dx[N,O]")
            .apart("dx", "dy y");
    static final ArgumentCheck SCALE_COLUMNS = check("scaleColumns", "", "x[N,O] v[O] y[N,O]").apart("y", "v")
            .sameOrApart("y", "x");
    static final ArgumentCheck SCALE_ROWS = check("scaleRows", "", "x[N,O] v[N] y[N,O]").apart("y", "v")
            .sameOrApart("y", "x");
    static final ArgumentCheck COLUMN_DOTS = check("columnDots", "", "a[N,O] b[N,O] v[O]").apart("v", "a b");
    static final ArgumentCheck ROW_DOTS = check("rowDots", "", "a[N,O] b[N,O] v[N]").apart("v", "a b");
    static final ArgumentCheck CROSS_ENTROPY = check("crossEntropy", "N", "logits[N,V]");

    // ---- elements

    static final ArgumentCheck ADD = check("add", "", "a[n] b[n] y[n]").sameOrApart("y", "a b");
    static final ArgumentCheck MULTIPLY = check("multiply", "", "a[n] b[n] y[n]").sameOrApart("y", "a b");
    static final ArgumentCheck SCALE = check("scale", "", "x[n] y[n]").sameOrApart("y", "x");
    static final ArgumentCheck DROPOUT = check("dropout", "", "x[n] y[n]").sameOrApart("y", "x");
    static final ArgumentCheck ACTIVATE = check("activate", "", "x[n] y[n]").sameOrApart("y", "x");
    static final ArgumentCheck ACTIVATE_BACKWARD = check("activateBackward", "", "x[n] dy[n] dx[n]")
            .apart("dx", "dy x");
    static final ArgumentCheck GATED = check("gated", "", "gate[n] up[n] y[n]").apart("y", "gate up");
    static final ArgumentCheck GATED_BACKWARD = gateBackward("gatedBackward");
    static final ArgumentCheck CLAMPED_GATE = check("clampedGate", "", "gate[n] up[n] y[n]").apart("y", "gate up");
    static final ArgumentCheck CLAMPED_GATE_BACKWARD = gateBackward("clampedGateBackward");
    static final ArgumentCheck SOFT_CAP = check("softCap", "", "x[n] y[n]").sameOrApart("y", "x");
    static final ArgumentCheck SOFT_CAP_BACKWARD = check("softCapBackward", "", "y[n] dy[n] dx[n]")
            .sameOrApart("dx", "dy").apart("dx", "y");
    static final ArgumentCheck SUM_OF_SQUARES = check("sumOfSquares", "", "x[n]");
    static final ArgumentCheck ADAM_W = check("adamW", "",
            "parameter[n]f gradient[n]f firstMoment[n]f secondMoment[n]f");

    // ---- norms

    static final ArgumentCheck RMS_NORM = check("rmsNorm", "", "x[N,H] weight[H]f y[N,H] rstd[N]f")
            .apart("y rstd", "x");
    static final ArgumentCheck RMS_NORM_BACKWARD = check("rmsNormBackward", "",
            "x[N,H] dy[N,H] weight[H]f rstd[N]f dx[N,H]").apart("dx", "x dy");
    static final ArgumentCheck RMS_NORM_WEIGHT_BACKWARD = check("rmsNormWeightBackward", "",
            "x[N,H] dy[N,H] rstd[N]f dw[H]f");
    static final ArgumentCheck LAYER_NORM = check("layerNorm", "",
            "x[N,H] weight[H]f bias?[H]f y[N,H] mean[N]f rstd[N]f").apart("y mean rstd", "x").apart("rstd", "mean");
    static final ArgumentCheck LAYER_NORM_BACKWARD = check("layerNormBackward", "",
            "x[N,H] dy[N,H] weight[H]f mean[N]f rstd[N]f dx[N,H]").apart("dx", "x dy");
    static final ArgumentCheck LAYER_NORM_WEIGHT_BACKWARD = check("layerNormWeightBackward", "",
            "x[N,H] dy[N,H] mean[N]f rstd[N]f dw[H]f db?[H]f").apart("db", "dw");

    // ---- attention

    private static final ArgumentCheck ROTARY = check("rotary", "N", "x[N,_]");
    private static final ArgumentCheck ATTENTION = check("attention", "NQKh",
            "q[N,Q] k[M,K] v[M,K] sinks?[h]f bias?[h,_]f out[N,Q] lse[N,h]f").apart("out", "q k v");
    private static final ArgumentCheck ATTENTION_BACKWARD = check("attentionBackward", "NQKh",
            "q[N,Q] k[M,K] v[M,K] sinks?[h]f bias?[h,_]f out[N,Q] lse[N,h]f dOut[N,Q] dq[N,Q] dk[M,K] dv[M,K]")
            .apart("dq dk dv", "dOut q k v out dq dk dv");

    // ---- sequences

    private static final ArgumentCheck CONVOLUTION = check("convolution", "N", "x[N,C] weight[C,K]f bias?[C]f y[N,C]")
            .apart("y", "x");
    static final ArgumentCheck CONVOLUTION_BACKWARD = check("convolutionBackward", "N",
            "dy[N,C] weight[C,K]f dx[N,C]").apart("dx", "dy");
    private static final ArgumentCheck CONVOLUTION_STATE = check("convolution", "KC", "state[K,C]f");
    private static final String SCAN_INPUTS = "queries[N,K] keys[N,K] values[N,V] decay[N,h]f rate?[N,h]f";
    private static final ArgumentCheck SCAN = check("scan", "NKVh", SCAN_INPUTS + " y[N,V]")
            .apart("y", "queries keys values decay rate");
    private static final ArgumentCheck SCAN_STATE = check("scan", "KV", "state[K,V]f");
    private static final ArgumentCheck SCAN_BACKWARD = check("scanBackward", "NKVh", SCAN_INPUTS
            + " dQueries[N,K] dKeys[N,K] dValues[N,V] dDecay[N,h]f dRate?[N,h]f dy[N,V]")
            .apart("dQueries dKeys dValues dDecay dRate",
                    "dy queries keys values decay rate dQueries dKeys dValues dDecay dRate");

    private KernelChecks() {
    }

    private static ArgumentCheck check(String operation, String given, String arrays) {
        return new ArgumentCheck(operation, given, arrays);
    }

    private static ArgumentCheck gateBackward(String operation) {
        return check(operation, "", "dy[n] gate[n] up[n] dGate[n] dUp[n]").sameOrApart("dGate", "gate")
                .sameOrApart("dUp", "up").apart("dGate", "dUp up dy").apart("dUp", "gate dy");
    }

    // ---- what the table does not say

    static void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c) {
        ArgumentCheck check = transposeA ? transposeB ? PRODUCT_A_B : PRODUCT_A : transposeB ? PRODUCT_B : PRODUCT;
        check.of(a, b, c);
    }

    static void lowRankByRows(INDArray x, List<LowRankPart> parts, INDArray y) {
        BY_ROWS.of(x, y);
        requireAscending("lowRankByRows", parts, x.size(0));
        for (LowRankPart part : parts) {
            PART.of(sizes(x.size(1), y.size(1), part.to() - part.from()), part.a(), part.b(), part.h());
            ArgumentCheck.apart("lowRankByRows", y, part.h());
        }
    }

    static void lowRankByRowsBackward(INDArray dy, INDArray x, List<LowRankPart> parts,
            List<LowRankPart.Gradient> gradients, INDArray dx) {
        BY_ROWS_BACKWARD.of(x, dy, dx);
        requireAscending("lowRankByRowsBackward", parts, x.size(0));
        if (gradients.size() != parts.size()) {
            throw new IllegalArgumentException("lowRankByRowsBackward: " + gradients.size() + " gradients for "
                    + parts.size() + " parts");
        }
        for (int i = 0; i < parts.size(); i++) {
            LowRankPart part = parts.get(i);
            LowRankPart.Gradient gradient = gradients.get(i);
            PART_BACKWARD.of(sizes(x.size(1), dy.size(1), part.to() - part.from()), part.a(), part.b(), part.h(),
                    gradient.dh(), gradient.da(), gradient.db());
        }
    }

    private static void requireAscending(String operation, List<LowRankPart> parts, long rows) {
        int end = 0;
        for (LowRankPart part : parts) {
            if (part.from() < end || part.to() <= part.from() || part.to() > rows) {
                throw new IllegalArgumentException(operation + ": rows " + part.from() + " to " + part.to() + " after "
                        + end + " of " + rows);
            }
            end = part.to();
        }
    }

    static void copyColumns(INDArray x, int fromX, INDArray y, int fromY, int count) {
        COPY_COLUMNS.of(x, y);
        if (count < 0 || fromX < 0 || fromX + (long) count > x.size(1) || fromY < 0
                || fromY + (long) count > y.size(1)) {
            throw new IllegalArgumentException("copyColumns: " + count + " columns from " + fromX + " of x " + shape(x)
                    + " to " + fromY + " of y " + shape(y) + " are not all there");
        }
    }

    /** Refuses an input that is a result to which is added. */
    static void apartWhere(boolean accumulate, String operation, INDArray result, INDArray input) {
        if (accumulate) {
            ArgumentCheck.apart(operation, result, input);
        }
    }

    static void probability(String operation, float p) {
        if (!(p >= 0 && p < 1)) {
            throw new IllegalArgumentException(operation + ": the probability must lie in [0, 1), got " + p);
        }
    }

    static void positive(String operation, String name, float value) {
        if (!(value > 0 && value < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(operation + ": the " + name + " must be above 0, got " + value);
        }
    }

    static void indices(String operation, String name, int[] indices, long bound) {
        for (int i = 0; i < indices.length; i++) {
            if (indices[i] < 0 || indices[i] >= bound) {
                throw new IllegalArgumentException(operation + ": " + name + "[" + i + "] is " + indices[i]
                        + ", must be at least 0 and less than " + bound);
            }
        }
    }

    /** Checks logits, their targets, and how many numbers there are for each of these. */
    static void crossEntropy(INDArray logits, int[] targets, int... lengths) {
        CROSS_ENTROPY.of(sizes(targets.length), logits);
        for (int length : lengths) {
            if (length != targets.length) {
                throw new IllegalArgumentException("crossEntropy: " + targets.length + " targets but " + length
                        + " losses, weights, or places for hits");
            }
        }
        indices("crossEntropy", "targets", targets, logits.size(1));
    }

    static void rotary(INDArray x, int headSize, RotaryTable table, int[] positions) {
        ROTARY.of(sizes(positions.length), x);
        if (headSize <= 0 || x.size(1) % headSize != 0 || 2L * table.half() > headSize) {
            throw new IllegalArgumentException("rotary: x " + shape(x) + " is not made of heads of size " + headSize
                    + ", or they are smaller than the " + 2 * table.half() + " elements that the table rotates");
        }
        indices("rotary", "positions", positions, table.positions());
    }

    /** @param gradients of attentionBackward dOut, dq, dk and dv; none of attention */
    static void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            AttentionExtras extras, INDArray out, INDArray lse, INDArray... gradients) {
        ArgumentCheck check = gradients.length == 0 ? ATTENTION : ATTENTION_BACKWARD;
        check.of(sizes(layout.queryRows(), shape.queryColumns(), shape.keyColumns(), shape.heads()),
                Stream.concat(Stream.of(q, k, v, extras.sinks().orElse(null), extras.bias().orElse(null), out, lse),
                        Stream.of(gradients)).toArray(INDArray[]::new));
        String operation = gradients.length == 0 ? "attention" : "attentionBackward";
        if (k.size(0) < layout.keyRows()) {
            throw new IllegalArgumentException(operation + ": the layout reads " + layout.keyRows()
                    + " key rows, k has " + k.size(0));
        }
        extras.bias().ifPresent(bias -> {
            if (bias.size(1) % 2 == 0) {
                throw new IllegalArgumentException(operation + ": bias must have 2 S + 1 columns, got " + shape(bias));
            }
            if (layout.segments().stream().anyMatch(s -> s.sight() == AttentionLayout.Sight.CROSS)) {
                throw new IllegalArgumentException(operation + ": there is no bias by relative position between the "
                        + "rows of cross attention");
            }
        });
    }

    static void convolution(INDArray x, INDArray weight, Optional<INDArray> bias, RowOrder order, PieceStates states,
            INDArray y) {
        CONVOLUTION.of(sizes(order.rows()), x, weight, bias.orElse(null), y);
        states("convolution", order, states, CONVOLUTION_STATE, weight.size(1) - 1, x.size(1));
    }

    static void scan(ScanShape shape, ScanInputs in, RowOrder order, PieceStates states, INDArray y) {
        SCAN.of(scanSizes(shape, order), in.queries(), in.keys(), in.values(), in.decay(), in.rate().orElse(null), y);
        states("scan", order, states, SCAN_STATE, (long) shape.valueHeads() * shape.keySize(), shape.valueSize());
    }

    static void scanBackward(INDArray dy, ScanShape shape, ScanInputs in, RowOrder order, ScanInputs gradients) {
        SCAN_BACKWARD.of(scanSizes(shape, order), in.queries(), in.keys(), in.values(), in.decay(),
                in.rate().orElse(null), gradients.queries(), gradients.keys(), gradients.values(), gradients.decay(),
                gradients.rate().orElse(null), dy);
        if (in.rate().isPresent() != gradients.rate().isPresent()) {
            throw new IllegalArgumentException("scanBackward: a rate needs a gradient, and only a rate does");
        }
    }

    private static long[] scanSizes(ScanShape shape, RowOrder order) {
        return sizes(order.rows(), shape.keyColumns(), shape.valueColumns(), shape.valueHeads());
    }

    private static void states(String operation, RowOrder order, PieceStates states, ArgumentCheck check, long rows,
            long columns) {
        int pieces = order.pieces().size();
        if (!states.before().isEmpty() && states.before().size() != pieces
                || !states.after().isEmpty() && states.after().size() != pieces) {
            throw new IllegalArgumentException(operation + ": " + states.before().size() + " states before and "
                    + states.after().size() + " after " + pieces + " pieces");
        }
        Stream.concat(states.before().stream().flatMap(Optional::stream), states.after().stream())
                .forEach(state -> check.of(sizes(rows, columns), state));
    }
}
