package io.peft4j.core.kernel.support;

import static io.peft4j.core.kernel.support.KernelChecks.apart;
import static io.peft4j.core.kernel.support.KernelChecks.floats;
import static io.peft4j.core.kernel.support.KernelChecks.matrix;

import io.peft4j.core.kernel.MatrixKernels.LowRankPart;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What {@link KernelChecks} is to other operations, for matrix products. */
final class MatrixChecks {
    private MatrixChecks() {
    }

    static void linear(INDArray x, FrozenWeight w, INDArray y) {
        matrix("linear", "x", x, -1, w.columns());
        matrix("linear", "y", y, x.size(0), w.rows());
        apart("linear", y, x);
    }

    static void linearBackward(INDArray dy, FrozenWeight w, INDArray dx) {
        matrix("linearBackward", "dy", dy, -1, w.rows());
        matrix("linearBackward", "dx", dx, dy.size(0), w.columns());
        apart("linearBackward", dx, dy);
    }

    static void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c) {
        matrix("matmul", "a", a, -1, -1);
        long k = a.size(transposeA ? 0 : 1);
        matrix("matmul", "b", b, transposeB ? -1 : k, transposeB ? k : -1);
        matrix("matmul", "c", c, a.size(transposeA ? 1 : 0), b.size(transposeB ? 0 : 1));
        apart("matmul", c, a);
        apart("matmul", c, b);
    }

    static void lowRank(INDArray x, INDArray a, INDArray b, INDArray h, INDArray y) {
        lowRankInputs("lowRank", x, a, b, h);
        matrix("lowRank", "y", y, x.size(0), b.size(0));
        for (INDArray input : new INDArray[] {x, a, b, h}) {
            apart("lowRank", y, input);
        }
        apart("lowRank", h, x);
        apart("lowRank", h, a);
        apart("lowRank", h, b);
    }

    static void lowRankBackward(INDArray dy, INDArray x, INDArray a, INDArray b, INDArray h, INDArray dh,
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

    static void lowRankByRows(INDArray x, List<LowRankPart> parts, INDArray y) {
        lowRankParts("lowRankByRows", x, parts, y);
        for (LowRankPart part : parts) {
            apart("lowRankByRows", y, part.h());
        }
    }

    static void lowRankByRowsBackward(INDArray dy, INDArray x, List<LowRankPart> parts,
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
}
