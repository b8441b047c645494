package io.peft4j.core.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** What {@link KernelChecks} is to other operations, for the scaling of rows and columns. */
public final class ScalingChecks {
    private ScalingChecks() {
    }

    /** Checks {@link Kernels#scaleColumns}. */
    public static void scaleColumns(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        scaling("scaleColumns", x, v, 1, y, accumulate);
    }

    /** Checks {@link Kernels#scaleRows}. */
    public static void scaleRows(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        scaling("scaleRows", x, v, 0, y, accumulate);
    }

    private static void scaling(String operation, INDArray x, INDArray v, int dimension, INDArray y,
            boolean accumulate) {
        KernelChecks.matrix(operation, "x", x, -1, -1);
        KernelChecks.vector(operation, "v", v, x.size(dimension));
        KernelChecks.matrix(operation, "y", y, x.size(0), x.size(1));
        KernelChecks.apart(operation, y, v);
        if (accumulate) {
            KernelChecks.apart(operation, y, x);
        } else {
            KernelChecks.sameOrApart(operation, y, x);
        }
    }

    /** Checks {@link Kernels#columnDots}. */
    public static void columnDots(INDArray a, INDArray b, INDArray v) {
        dots("columnDots", a, b, v, 1);
    }

    /** Checks {@link Kernels#rowDots}. */
    public static void rowDots(INDArray a, INDArray b, INDArray v) {
        dots("rowDots", a, b, v, 0);
    }

    private static void dots(String operation, INDArray a, INDArray b, INDArray v, int dimension) {
        KernelChecks.matrix(operation, "a", a, -1, -1);
        KernelChecks.matrix(operation, "b", b, a.size(0), a.size(1));
        KernelChecks.vector(operation, "v", v, a.size(dimension));
        KernelChecks.apart(operation, v, a);
        KernelChecks.apart(operation, v, b);
    }
}
