package io.peft4j.core.kernel.support;

import static io.peft4j.core.kernel.support.KernelChecks.apart;
import static io.peft4j.core.kernel.support.KernelChecks.floatVector;
import static io.peft4j.core.kernel.support.KernelChecks.matrix;

import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The checks of norms that {@link CheckedKernels} makes. */
final class NormChecks {
    private NormChecks() {
    }

    static void rmsNorm(INDArray x, INDArray weight, INDArray y, INDArray rstd) {
        matrix("rmsNorm", "x", x, -1, -1);
        floatVector("rmsNorm", "weight", weight, x.size(1));
        matrix("rmsNorm", "y", y, x.size(0), x.size(1));
        floatVector("rmsNorm", "rstd", rstd, x.size(0));
        apart("rmsNorm", y, x);
        apart("rmsNorm", rstd, x);
    }

    static void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray rstd, INDArray dx) {
        matrix("rmsNormBackward", "x", x, -1, -1);
        matrix("rmsNormBackward", "dy", dy, x.size(0), x.size(1));
        floatVector("rmsNormBackward", "weight", weight, x.size(1));
        floatVector("rmsNormBackward", "rstd", rstd, x.size(0));
        matrix("rmsNormBackward", "dx", dx, x.size(0), x.size(1));
        apart("rmsNormBackward", dx, x);
        apart("rmsNormBackward", dx, dy);
    }

    static void rmsNormWeightBackward(INDArray dy, INDArray x, INDArray rstd, INDArray dw) {
        matrix("rmsNormWeightBackward", "x", x, -1, -1);
        matrix("rmsNormWeightBackward", "dy", dy, x.size(0), x.size(1));
        floatVector("rmsNormWeightBackward", "rstd", rstd, x.size(0));
        floatVector("rmsNormWeightBackward", "dw", dw, x.size(1));
    }

    static void layerNorm(INDArray x, INDArray weight, Optional<INDArray> bias, INDArray y, INDArray mean,
            INDArray rstd) {
        matrix("layerNorm", "x", x, -1, -1);
        floatVector("layerNorm", "weight", weight, x.size(1));
        bias.ifPresent(b -> floatVector("layerNorm", "bias", b, x.size(1)));
        matrix("layerNorm", "y", y, x.size(0), x.size(1));
        floatVector("layerNorm", "mean", mean, x.size(0));
        floatVector("layerNorm", "rstd", rstd, x.size(0));
        apart("layerNorm", y, x);
        apart("layerNorm", mean, x);
        apart("layerNorm", rstd, x);
        apart("layerNorm", rstd, mean);
    }

    static void layerNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray mean, INDArray rstd,
            INDArray dx) {
        matrix("layerNormBackward", "x", x, -1, -1);
        matrix("layerNormBackward", "dy", dy, x.size(0), x.size(1));
        floatVector("layerNormBackward", "weight", weight, x.size(1));
        floatVector("layerNormBackward", "mean", mean, x.size(0));
        floatVector("layerNormBackward", "rstd", rstd, x.size(0));
        matrix("layerNormBackward", "dx", dx, x.size(0), x.size(1));
        apart("layerNormBackward", dx, x);
        apart("layerNormBackward", dx, dy);
    }

    static void layerNormWeightBackward(INDArray dy, INDArray x, INDArray mean, INDArray rstd, INDArray dw,
            Optional<INDArray> db) {
        matrix("layerNormWeightBackward", "x", x, -1, -1);
        matrix("layerNormWeightBackward", "dy", dy, x.size(0), x.size(1));
        floatVector("layerNormWeightBackward", "mean", mean, x.size(0));
        floatVector("layerNormWeightBackward", "rstd", rstd, x.size(0));
        floatVector("layerNormWeightBackward", "dw", dw, x.size(1));
        db.ifPresent(b -> {
            floatVector("layerNormWeightBackward", "db", b, x.size(1));
            apart("layerNormWeightBackward", b, dw);
        });
    }
}
