package io.peft4j.core.kernel.support;

import static io.peft4j.core.kernel.support.KernelChecks.apart;
import static io.peft4j.core.kernel.support.KernelChecks.array;
import static io.peft4j.core.kernel.support.KernelChecks.sameLength;
import static io.peft4j.core.kernel.support.KernelChecks.sameOrApart;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The checks of elementwise operations that {@link CheckedKernels} makes. */
final class ElementChecks {
    private ElementChecks() {
    }

    static void binary(String operation, INDArray a, INDArray b, INDArray y) {
        array(operation, "a", a);
        sameLength(operation, "b", b, a.length());
        sameLength(operation, "y", y, a.length());
        sameOrApart(operation, y, a);
        sameOrApart(operation, y, b);
    }

    static void scale(INDArray x, INDArray y) {
        unary("scale", x, y);
    }

    static void unary(String operation, INDArray x, INDArray y) {
        array(operation, "x", x);
        sameLength(operation, "y", y, x.length());
        sameOrApart(operation, y, x);
    }

    static void activateBackward(INDArray dy, INDArray x, INDArray dx) {
        array("activateBackward", "x", x);
        sameLength("activateBackward", "dy", dy, x.length());
        sameLength("activateBackward", "dx", dx, x.length());
        apart("activateBackward", dx, dy);
        apart("activateBackward", dx, x);
    }

    static void softCapBackward(INDArray dy, INDArray y, INDArray dx) {
        array("softCapBackward", "y", y);
        sameLength("softCapBackward", "dy", dy, y.length());
        sameLength("softCapBackward", "dx", dx, y.length());
        sameOrApart("softCapBackward", dx, dy);
        apart("softCapBackward", dx, y);
    }

    static void positive(String operation, String name, float value) {
        if (!(value > 0 && value < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(operation + ": the " + name + " must be above 0, got " + value);
        }
    }

    static void gate(String operation, INDArray gate, INDArray up, INDArray y) {
        array(operation, "gate", gate);
        sameLength(operation, "up", up, gate.length());
        sameLength(operation, "y", y, gate.length());
        apart(operation, y, gate);
        apart(operation, y, up);
    }

    static void gateBackward(String operation, INDArray dy, INDArray gate, INDArray up, INDArray dGate,
            INDArray dUp) {
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

    static void dropout(INDArray x, float p, INDArray y, boolean accumulate) {
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
}
