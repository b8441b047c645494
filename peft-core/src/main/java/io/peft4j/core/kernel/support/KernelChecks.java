package io.peft4j.core.kernel.support;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.UpdateKernels.AdamWStep;
import io.peft4j.core.weight.FrozenWeight;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The checks of arguments that {@link CheckedKernels} makes, one method an operation; those of matrix products are
 * {@link MatrixChecks}, of elements {@link ElementChecks}, of norms {@link NormChecks}, of attention
 * {@link AttentionChecks}. They throw {@link IllegalArgumentException} with a message that names the operation and the
 * shapes; kernels that read raw memory are safe behind them.
 */
final class KernelChecks {
    private KernelChecks() {
    }

    static void addBias(INDArray y, INDArray bias) {
        matrix("addBias", "y", y, -1, -1);
        vector("addBias", "bias", bias, y.size(1));
        apart("addBias", y, bias);
    }

    static void addBiasBackward(INDArray dy, INDArray db) {
        matrix("addBiasBackward", "dy", dy, -1, -1);
        vector("addBiasBackward", "db", db, dy.size(1));
        apart("addBiasBackward", db, dy);
    }

    static void gather(FrozenWeight table, int[] ids, INDArray y) {
        matrix("gather", "y", y, ids.length, table.columns());
        indices("gather", "ids", ids, table.rows());
    }

    static void gatherRows(INDArray x, int[] rows, INDArray y) {
        matrix("gatherRows", "x", x, -1, -1);
        matrix("gatherRows", "y", y, rows.length, x.size(1));
        indices("gatherRows", "rows", rows, x.size(0));
        apart("gatherRows", y, x);
    }

    static void gatherRowsBackward(INDArray dy, int[] rows, INDArray dx) {
        matrix("gatherRowsBackward", "dx", dx, -1, -1);
        matrix("gatherRowsBackward", "dy", dy, rows.length, dx.size(1));
        indices("gatherRowsBackward", "rows", rows, dx.size(0));
        apart("gatherRowsBackward", dx, dy);
    }

    static void copyColumns(INDArray x, int fromX, INDArray y, int fromY, int count) {
        matrix("copyColumns", "x", x, -1, -1);
        matrix("copyColumns", "y", y, x.size(0), -1);
        if (count < 0 || fromX < 0 || fromX + (long) count > x.size(1) || fromY < 0
                || fromY + (long) count > y.size(1)) {
            throw new IllegalArgumentException("copyColumns: " + count + " columns from " + fromX + " of x " + shape(x)
                    + " to " + fromY + " of y " + shape(y) + " are not all there");
        }
        apart("copyColumns", y, x);
    }

    static void softmax(INDArray x, INDArray y) {
        matrix("softmax", "x", x, -1, -1);
        matrix("softmax", "y", y, x.size(0), x.size(1));
        apart("softmax", y, x);
    }

    static void softmaxBackward(INDArray dy, INDArray y, INDArray dx) {
        matrix("softmaxBackward", "y", y, -1, -1);
        matrix("softmaxBackward", "dy", dy, y.size(0), y.size(1));
        matrix("softmaxBackward", "dx", dx, y.size(0), y.size(1));
        apart("softmaxBackward", dx, dy);
        apart("softmaxBackward", dx, y);
    }

    static void scaleColumns(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        scaling("scaleColumns", x, v, 1, y, accumulate);
    }

    static void scaleRows(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        scaling("scaleRows", x, v, 0, y, accumulate);
    }

    private static void scaling(String operation, INDArray x, INDArray v, int dimension, INDArray y,
            boolean accumulate) {
        matrix(operation, "x", x, -1, -1);
        vector(operation, "v", v, x.size(dimension));
        matrix(operation, "y", y, x.size(0), x.size(1));
        apart(operation, y, v);
        if (accumulate) {
            apart(operation, y, x);
        } else {
            sameOrApart(operation, y, x);
        }
    }

    static void columnDots(INDArray a, INDArray b, INDArray v) {
        dots("columnDots", a, b, v, 1);
    }

    static void rowDots(INDArray a, INDArray b, INDArray v) {
        dots("rowDots", a, b, v, 0);
    }

    private static void dots(String operation, INDArray a, INDArray b, INDArray v, int dimension) {
        matrix(operation, "a", a, -1, -1);
        matrix(operation, "b", b, a.size(0), a.size(1));
        vector(operation, "v", v, a.size(dimension));
        apart(operation, v, a);
        apart(operation, v, b);
    }

    /** Checks {@link Kernels#crossEntropy} ({@code values} is nll) and its gradient ({@code values} is weights). */
    static void crossEntropy(INDArray logits, int[] targets, float[] values) {
        matrix("crossEntropy", "logits", logits, targets.length, -1);
        if (values.length != targets.length) {
            throw new IllegalArgumentException("crossEntropy: " + targets.length + " targets but " + values.length
                    + " losses or weights");
        }
        indices("crossEntropy", "targets", targets, logits.size(1));
    }

    /** Checks the places for hits of {@link Kernels#crossEntropy}. */
    static void hits(int[] targets, boolean[] hits) {
        if (hits.length != targets.length) {
            throw new IllegalArgumentException("crossEntropy: " + targets.length + " targets but " + hits.length
                    + " places for hits");
        }
    }

    static void sumOfSquares(INDArray x) {
        array("sumOfSquares", "x", x);
    }

    static void adamW(INDArray parameter, INDArray gradient, INDArray firstMoment, INDArray secondMoment,
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

    static void array(String operation, String name, INDArray array) {
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

    static void floats(String operation, String name, INDArray array) {
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

    static void floatVector(String operation, String name, INDArray array, long length) {
        vector(operation, name, array, length);
        floats(operation, name, array);
    }

    static void sameLength(String operation, String name, INDArray array, long length) {
        vector(operation, name, array, length);
    }

    static void indices(String operation, String name, int[] indices, long bound) {
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

    static String shape(INDArray array) {
        return java.util.Arrays.toString(array.shape());
    }
}
