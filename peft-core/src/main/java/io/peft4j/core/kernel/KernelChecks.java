package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The checks of arguments that every implementation of {@link Kernels} makes first, one method an operation. They throw
 * {@link IllegalArgumentException} with a message that names the operation and the shapes; kernels that read raw memory
 * are safe behind them.
 */
public final class KernelChecks {
    private KernelChecks() {
    }

    /** Checks {@link Kernels#linear}. */
    public static void linear(INDArray x, FrozenWeight w, INDArray y) {
        matrix("linear", "x", x, -1, w.columns());
        matrix("linear", "y", y, x.size(0), w.rows());
        apart("linear", y, x);
    }

    /** Checks {@link Kernels#linearBackward}. */
    public static void linearBackward(INDArray dy, FrozenWeight w, INDArray dx) {
        matrix("linearBackward", "dy", dy, -1, w.rows());
        matrix("linearBackward", "dx", dx, dy.size(0), w.columns());
        apart("linearBackward", dx, dy);
    }

    /** Checks {@link Kernels#matmul}. */
    public static void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c) {
        matrix("matmul", "a", a, -1, -1);
        long k = a.size(transposeA ? 0 : 1);
        matrix("matmul", "b", b, transposeB ? -1 : k, transposeB ? k : -1);
        matrix("matmul", "c", c, a.size(transposeA ? 1 : 0), b.size(transposeB ? 0 : 1));
        apart("matmul", c, a);
        apart("matmul", c, b);
    }

    /** Checks {@link Kernels#lowRank}. */
    public static void lowRank(INDArray x, INDArray a, INDArray b, INDArray h, INDArray y) {
        lowRankInputs("lowRank", x, a, b, h);
        matrix("lowRank", "y", y, x.size(0), b.size(0));
        for (INDArray input : new INDArray[] {x, a, b, h}) {
            apart("lowRank", y, input);
        }
        apart("lowRank", h, x);
        apart("lowRank", h, a);
        apart("lowRank", h, b);
    }

    /** Checks {@link Kernels#lowRankBackward}. */
    public static void lowRankBackward(INDArray dy, INDArray x, INDArray a, INDArray b, INDArray h, INDArray dh,
            INDArray dx, INDArray da, INDArray db) {
        String operation = "lowRankBackward";
        lowRankInputs(operation, x, a, b, h);
        matrix(operation, "dy", dy, x.size(0), b.size(0));
        matrix(operation, "dh", dh, h.size(0), h.size(1));
        matrix(operation, "dx", dx, x.size(0), x.size(1));
        matrix(operation, "da", da, a.size(0), a.size(1));
        matrix(operation, "db", db, b.size(0), b.size(1));
        floats(operation, "dh", dh);
        floats(operation, "da", da);
        floats(operation, "db", db);
        INDArray[] results = {dh, dx, da, db};
        for (int i = 0; i < results.length; i++) {
            for (INDArray input : new INDArray[] {dy, x, a, b, h}) {
                apart(operation, results[i], input);
            }
            for (int j = 0; j < i; j++) {
                apart(operation, results[i], results[j]);
            }
        }
    }

    /** Checks {@link Kernels#lowRankByRows}. */
    public static void lowRankByRows(INDArray x, List<LowRankPart> parts, INDArray y) {
        lowRankParts("lowRankByRows", x, parts, y);
        for (LowRankPart part : parts) {
            apart("lowRankByRows", y, part.h());
        }
    }

    /** Checks {@link Kernels#lowRankByRowsBackward}. */
    public static void lowRankByRowsBackward(INDArray dy, INDArray x, List<LowRankPart> parts,
            List<LowRankPart.Gradient> gradients, INDArray dx) {
        String operation = "lowRankByRowsBackward";
        lowRankParts(operation, x, parts, dy);
        matrix(operation, "dx", dx, x.size(0), x.size(1));
        apart(operation, dx, x);
        apart(operation, dx, dy);
        if (gradients.size() != parts.size()) {
            throw new IllegalArgumentException(operation + ": " + gradients.size() + " gradients for " + parts.size()
                    + " parts");
        }
        for (int i = 0; i < parts.size(); i++) {
            LowRankPart part = parts.get(i);
            LowRankPart.Gradient gradient = gradients.get(i);
            matrix(operation, "dh", gradient.dh(), part.h().size(0), part.h().size(1));
            matrix(operation, "da", gradient.da(), part.a().size(0), part.a().size(1));
            matrix(operation, "db", gradient.db(), part.b().size(0), part.b().size(1));
            floats(operation, "dh", gradient.dh());
            floats(operation, "da", gradient.da());
            floats(operation, "db", gradient.db());
        }
    }

    private static void lowRankParts(String operation, INDArray x, List<LowRankPart> parts, INDArray y) {
        matrix(operation, "x", x, -1, -1);
        matrix(operation, "y", y, x.size(0), -1);
        apart(operation, y, x);
        int end = 0;
        for (LowRankPart part : parts) {
            if (part.from() < end || part.to() <= part.from() || part.to() > x.size(0)) {
                throw new IllegalArgumentException(operation + ": rows " + part.from() + " to " + part.to() + " after "
                        + end + " of " + x.size(0));
            }
            end = part.to();
            matrix(operation, "a", part.a(), -1, x.size(1));
            matrix(operation, "b", part.b(), y.size(1), part.a().size(0));
            matrix(operation, "h", part.h(), part.to() - part.from(), part.a().size(0));
            floats(operation, "h", part.h());
        }
    }

    private static void lowRankInputs(String operation, INDArray x, INDArray a, INDArray b, INDArray h) {
        matrix(operation, "x", x, -1, -1);
        matrix(operation, "a", a, -1, x.size(1));
        matrix(operation, "b", b, -1, a.size(0));
        matrix(operation, "h", h, x.size(0), a.size(0));
        floats(operation, "h", h);
    }

    /** Checks {@link Kernels#addBias}. */
    public static void addBias(INDArray y, INDArray bias) {
        matrix("addBias", "y", y, -1, -1);
        vector("addBias", "bias", bias, y.size(1));
        apart("addBias", y, bias);
    }

    /** Checks {@link Kernels#addBiasBackward}. */
    public static void addBiasBackward(INDArray dy, INDArray db) {
        matrix("addBiasBackward", "dy", dy, -1, -1);
        vector("addBiasBackward", "db", db, dy.size(1));
        apart("addBiasBackward", db, dy);
    }

    /** Checks {@link Kernels#gather}. */
    public static void gather(FrozenWeight table, int[] ids, INDArray y) {
        matrix("gather", "y", y, ids.length, table.columns());
        indices("gather", "ids", ids, table.rows());
    }

    /** Checks {@link Kernels#gatherRows}. */
    public static void gatherRows(INDArray x, int[] rows, INDArray y) {
        matrix("gatherRows", "x", x, -1, -1);
        matrix("gatherRows", "y", y, rows.length, x.size(1));
        indices("gatherRows", "rows", rows, x.size(0));
        apart("gatherRows", y, x);
    }

    /** Checks {@link Kernels#gatherRowsBackward}. */
    public static void gatherRowsBackward(INDArray dy, int[] rows, INDArray dx) {
        matrix("gatherRowsBackward", "dx", dx, -1, -1);
        matrix("gatherRowsBackward", "dy", dy, rows.length, dx.size(1));
        indices("gatherRowsBackward", "rows", rows, dx.size(0));
        apart("gatherRowsBackward", dx, dy);
    }

    /** Checks {@link Kernels#add} and {@link Kernels#multiply}. */
    public static void binary(String operation, INDArray a, INDArray b, INDArray y) {
        array(operation, "a", a);
        sameLength(operation, "b", b, a.length());
        sameLength(operation, "y", y, a.length());
        sameOrApart(operation, y, a);
        sameOrApart(operation, y, b);
    }

    /** Checks {@link Kernels#scale}. */
    public static void scale(INDArray x, INDArray y) {
        array("scale", "x", x);
        sameLength("scale", "y", y, x.length());
        sameOrApart("scale", y, x);
    }

    /** Checks {@link Kernels#siluMultiply}. */
    public static void siluMultiply(INDArray gate, INDArray up, INDArray y) {
        array("siluMultiply", "gate", gate);
        sameLength("siluMultiply", "up", up, gate.length());
        sameLength("siluMultiply", "y", y, gate.length());
        apart("siluMultiply", y, gate);
        apart("siluMultiply", y, up);
    }

    /** Checks {@link Kernels#siluMultiplyBackward}. */
    public static void siluMultiplyBackward(INDArray dy, INDArray gate, INDArray up, INDArray dGate, INDArray dUp) {
        String operation = "siluMultiplyBackward";
        array(operation, "dy", dy);
        sameLength(operation, "gate", gate, dy.length());
        sameLength(operation, "up", up, dy.length());
        sameLength(operation, "dGate", dGate, dy.length());
        sameLength(operation, "dUp", dUp, dy.length());
        sameOrApart(operation, dGate, gate);
        sameOrApart(operation, dUp, up);
        apart(operation, dGate, dUp);
        apart(operation, dGate, up);
        apart(operation, dUp, gate);
        apart(operation, dGate, dy);
        apart(operation, dUp, dy);
    }

    /** Checks {@link Kernels#dropout}. */
    public static void dropout(INDArray x, float p, INDArray y, boolean accumulate) {
        if (!(p >= 0 && p < 1)) {
            throw new IllegalArgumentException("dropout: the probability must lie in [0, 1), got " + p);
        }
        array("dropout", "x", x);
        sameLength("dropout", "y", y, x.length());
        if (accumulate) {
            apart("dropout", y, x);
        } else {
            sameOrApart("dropout", y, x);
        }
    }

    /** Checks {@link Kernels#rmsNorm}. */
    public static void rmsNorm(INDArray x, INDArray weight, INDArray y, INDArray rstd) {
        matrix("rmsNorm", "x", x, -1, -1);
        floatVector("rmsNorm", "weight", weight, x.size(1));
        matrix("rmsNorm", "y", y, x.size(0), x.size(1));
        floatVector("rmsNorm", "rstd", rstd, x.size(0));
        apart("rmsNorm", y, x);
        apart("rmsNorm", rstd, x);
    }

    /** Checks {@link Kernels#rmsNormBackward}. */
    public static void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray rstd, INDArray dx) {
        matrix("rmsNormBackward", "x", x, -1, -1);
        matrix("rmsNormBackward", "dy", dy, x.size(0), x.size(1));
        floatVector("rmsNormBackward", "weight", weight, x.size(1));
        floatVector("rmsNormBackward", "rstd", rstd, x.size(0));
        matrix("rmsNormBackward", "dx", dx, x.size(0), x.size(1));
        apart("rmsNormBackward", dx, x);
        apart("rmsNormBackward", dx, dy);
    }

    /** Checks {@link Kernels#rmsNormWeightBackward}. */
    public static void rmsNormWeightBackward(INDArray dy, INDArray x, INDArray rstd, INDArray dw) {
        matrix("rmsNormWeightBackward", "x", x, -1, -1);
        matrix("rmsNormWeightBackward", "dy", dy, x.size(0), x.size(1));
        floatVector("rmsNormWeightBackward", "rstd", rstd, x.size(0));
        floatVector("rmsNormWeightBackward", "dw", dw, x.size(1));
    }

    /** Checks {@link Kernels#rotary}. */
    public static void rotary(INDArray x, int headSize, RotaryTable table, int[] positions) {
        matrix("rotary", "x", x, positions.length, -1);
        if (headSize <= 0 || x.size(1) % headSize != 0 || 2L * table.half() > headSize) {
            throw new IllegalArgumentException("rotary: x " + shape(x) + " is not made of heads of size " + headSize
                    + ", or they are smaller than the " + 2 * table.half() + " elements that the table rotates");
        }
        indices("rotary", "positions", positions, table.positions());
    }

    /** Checks {@link Kernels#attention}. */
    public static void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            INDArray out, INDArray lse) {
        attentionInputs("attention", q, k, v, layout, shape);
        matrix("attention", "out", out, layout.queryRows(), shape.queryColumns());
        matrix("attention", "lse", lse, layout.queryRows(), shape.heads());
        floats("attention", "lse", lse);
        apart("attention", out, q);
        apart("attention", out, k);
        apart("attention", out, v);
    }

    /** Checks {@link Kernels#attentionBackward}. */
    public static void attentionBackward(INDArray dOut, INDArray q, INDArray k, INDArray v, INDArray out, INDArray lse,
            AttentionLayout layout, AttentionShape shape, INDArray dq, INDArray dk, INDArray dv) {
        String operation = "attentionBackward";
        attentionInputs(operation, q, k, v, layout, shape);
        matrix(operation, "dOut", dOut, layout.queryRows(), shape.queryColumns());
        matrix(operation, "out", out, layout.queryRows(), shape.queryColumns());
        matrix(operation, "lse", lse, layout.queryRows(), shape.heads());
        floats(operation, "lse", lse);
        matrix(operation, "dq", dq, q.size(0), q.size(1));
        matrix(operation, "dk", dk, k.size(0), k.size(1));
        matrix(operation, "dv", dv, v.size(0), v.size(1));
        for (INDArray result : new INDArray[] {dq, dk, dv}) {
            for (INDArray input : new INDArray[] {dOut, q, k, v, out}) {
                apart(operation, result, input);
            }
        }
        apart(operation, dq, dk);
        apart(operation, dq, dv);
        apart(operation, dk, dv);
    }

    private static void attentionInputs(String operation, INDArray q, INDArray k, INDArray v, AttentionLayout layout,
            AttentionShape shape) {
        matrix(operation, "q", q, layout.queryRows(), shape.queryColumns());
        matrix(operation, "k", k, -1, shape.keyColumns());
        matrix(operation, "v", v, k.size(0), shape.keyColumns());
        if (k.size(0) < layout.keyRows()) {
            throw new IllegalArgumentException(operation + ": the layout reads " + layout.keyRows()
                    + " key rows, k has " + k.size(0));
        }
    }

    /** Checks {@link Kernels#crossEntropy} ({@code values} is nll) and its gradient ({@code values} is weights). */
    public static void crossEntropy(INDArray logits, int[] targets, float[] values) {
        matrix("crossEntropy", "logits", logits, targets.length, -1);
        if (values.length != targets.length) {
            throw new IllegalArgumentException("crossEntropy: " + targets.length + " targets but " + values.length
                    + " losses or weights");
        }
        indices("crossEntropy", "targets", targets, logits.size(1));
    }

    /** Checks {@link Kernels#sumOfSquares}. */
    public static void sumOfSquares(INDArray x) {
        array("sumOfSquares", "x", x);
    }

    /** Checks {@link Kernels#adamW}. */
    public static void adamW(INDArray parameter, INDArray gradient, INDArray firstMoment, INDArray secondMoment,
            AdamWStep step) {
        array("adamW", "parameter", parameter);
        floats("adamW", "parameter", parameter);
        floats("adamW", "gradient", gradient);
        floats("adamW", "firstMoment", firstMoment);
        floats("adamW", "secondMoment", secondMoment);
        sameLength("adamW", "gradient", gradient, parameter.length());
        sameLength("adamW", "firstMoment", firstMoment, parameter.length());
        sameLength("adamW", "secondMoment", secondMoment, parameter.length());
        if (step.step() < 1) {
            throw new IllegalArgumentException("adamW: the first step is 1, got " + step.step());
        }
    }

    // ---- parts

    private static void array(String operation, String name, INDArray array) {
        DataType type = array.dataType();
        if (type != DataType.FLOAT && type != DataType.BFLOAT16) {
            throw new IllegalArgumentException(operation + ": " + name + " must be FLOAT or BFLOAT16, got " + type);
        }
        long stride = 1;
        for (int d = array.rank() - 1; d >= 0; d--) {
            long size = array.size(d);
            if (size != 1 && array.stride(d) != stride) {
                throw new IllegalArgumentException(operation + ": " + name + " must be contiguous in c order, got "
                        + shape(array) + " with strides " + java.util.Arrays.toString(array.stride()));
            }
            stride *= size;
        }
    }

    private static void floats(String operation, String name, INDArray array) {
        if (array.dataType() != DataType.FLOAT) {
            throw new IllegalArgumentException(operation + ": " + name + " must be FLOAT, got " + array.dataType());
        }
    }

    /** Checks a matrix; -1 stands for any number of rows or columns. */
    static void matrix(String operation, String name, INDArray array, long rows, long columns) {
        array(operation, name, array);
        if (array.rank() != 2 || rows >= 0 && array.size(0) != rows || columns >= 0 && array.size(1) != columns) {
            throw new IllegalArgumentException(operation + ": " + name + " must be [" + (rows < 0 ? "any" : rows) + ", "
                    + (columns < 0 ? "any" : columns) + "], got " + shape(array));
        }
    }

    static void vector(String operation, String name, INDArray array, long length) {
        array(operation, name, array);
        if (array.length() != length) {
            throw new IllegalArgumentException(operation + ": " + name + " must have " + length + " elements, got "
                    + shape(array));
        }
    }

    private static void floatVector(String operation, String name, INDArray array, long length) {
        vector(operation, name, array, length);
        floats(operation, name, array);
    }

    private static void sameLength(String operation, String name, INDArray array, long length) {
        vector(operation, name, array, length);
    }

    private static void indices(String operation, String name, int[] indices, long bound) {
        for (int i = 0; i < indices.length; i++) {
            if (indices[i] < 0 || indices[i] >= bound) {
                throw new IllegalArgumentException(operation + ": " + name + "[" + i + "] is " + indices[i]
                        + ", must be at least 0 and less than " + bound);
            }
        }
    }

    static void apart(String operation, INDArray result, INDArray input) {
        if (overlap(result, input)) {
            throw new IllegalArgumentException(operation + ": a result shares memory with another argument");
        }
    }

    static void sameOrApart(String operation, INDArray result, INDArray input) {
        if (overlap(result, input)
                && (Arrays.address(result) != Arrays.address(input) || result.dataType() != input.dataType())) {
            throw new IllegalArgumentException(operation + ": a result shares some memory with another argument");
        }
    }

    private static boolean overlap(INDArray a, INDArray b) {
        long startA = Arrays.address(a);
        long startB = Arrays.address(b);
        return startA < startB + b.length() * Arrays.bytes(b.dataType())
                && startB < startA + a.length() * Arrays.bytes(a.dataType());
    }

    private static String shape(INDArray array) {
        return java.util.Arrays.toString(array.shape());
    }
}
