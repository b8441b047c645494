package io.peft4j.onednn;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.ActivationLoops;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.OneDnnElements.Part;
import io.peft4j.onednn.UnarySpec.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Activations by oneDNN; what it does not have, and arrays of a step of generation, in loops over heap tiles. */
final class OneDnnActivations extends ActivationLoops {
    private final ThreadTeam team;

    OneDnnActivations(ThreadTeam team) {
        super(team.workers());
        this.team = team;
    }

    private boolean inHeap(Activation f, long length) {
        return !Function.has(f) || OneDnnElements.areFew(length) && team.caller().loops().vectorized();
    }

    @Override
    public void activate(Activation f, INDArray x, INDArray y) {
        if (inHeap(f, y.length())) {
            super.activate(f, x, y);
            return;
        }
        Function function = Function.of(f);
        Span xs = Span.of(x);
        Span ys = Span.of(y);
        share(y.length(), (lane, first, count) -> Vectors.unary(lane, function, xs.from(first), ys.from(first), count));
    }

    @Override
    public void activateBackward(Activation f, INDArray dy, INDArray x, INDArray dx, boolean accumulate) {
        if (!Function.has(f)) {
            super.activateBackward(f, dy, x, dx, accumulate);
            return;
        }
        Function function = Function.of(f);
        Span dys = Span.of(dy);
        Span xs = Span.of(x);
        Span dxs = Span.of(dx);
        share(dx.length(), (lane, first, count) -> {
            if (accumulate) {
                Span product = Span.scratch(lane, dy.dataType(), count);
                Vectors.unaryBackward(lane, function, xs.from(first), dys.from(first), product, count);
                Vectors.binary(lane, Operator.ADD, dxs.from(first), product, dxs.from(first), false, count);
            } else {
                Vectors.unaryBackward(lane, function, xs.from(first), dys.from(first), dxs.from(first), count);
            }
        });
    }

    @Override
    public void gated(Activation f, INDArray gate, INDArray up, INDArray y) {
        Span gates = Span.of(gate);
        Span ups = Span.of(up);
        Span ys = Span.of(y);
        if (inHeap(f, y.length())) {
            if (f == Activation.SILU) {
                team.alone((lane, unused) -> siluMultiply(lane, gates, ups, ys, (int) y.length()));
            } else {
                super.gated(f, gate, up, y);
            }
            return;
        }
        Function function = Function.of(f);
        share(y.length(), (lane, first, count) -> Vectors.gate(lane, function, gates.from(first), ups.from(first),
                ys.from(first), count));
    }

    private static void siluMultiply(ThreadContext lane, Span gate, Span up, Span y, int count) {
        float[] g = lane.floats(1, count);
        float[] u = lane.floats(2, count);
        OneDnnElements.read(lane, gate, g, count);
        OneDnnElements.read(lane, up, u, count);
        lane.loops().siluMultiply(g, u, u, 0, count);
        OneDnnElements.write(lane, u, y, count);
    }

    // dUp = dy * f(gate), dGate = dy * up * f'(gate)
    @Override
    public void gatedBackward(Activation f, INDArray dy, INDArray gate, INDArray up, INDArray dGate, INDArray dUp) {
        if (!Function.has(f)) {
            super.gatedBackward(f, dy, gate, up, dGate, dUp);
            return;
        }
        Function function = Function.of(f);
        Span dys = Span.of(dy);
        Span gates = Span.of(gate);
        Span ups = Span.of(up);
        Span dGates = Span.of(dGate);
        Span dUps = Span.of(dUp);
        share(dy.length(), (lane, first, count) -> {
            Span x = gates.from(first);
            Span product = Span.scratch(lane, gates.type(), count);
            Vectors.binary(lane, Operator.MULTIPLY, dys.from(first), ups.from(first), product, false, count);
            Vectors.gate(lane, function, x, dys.from(first), dUps.from(first), count);
            if (dGates.type() == gates.type()) {
                Vectors.unaryBackward(lane, function, x, product, dGates.from(first), count);
            } else {
                Vectors.unaryBackward(lane, function, x, product, product, count);
                Vectors.convert(lane, product, dGates.from(first), count);
            }
        });
    }

    @Override
    public void softCap(INDArray x, float cap, INDArray y) {
        Span xs = Span.of(x);
        Span ys = Span.of(y);
        share(y.length(), (lane, first, count) -> {
            Span t = Vectors.result(lane, ys.from(first), false, count);
            Vectors.scale(lane, xs.from(first), 1 / cap, t, false, count);
            Vectors.unary(lane, Function.TANH, t, t, count);
            Vectors.scale(lane, t, cap, ys.from(first), false, count);
        });
    }

    /** Shares a vector among the threads, in pieces of which several fit into the second-level cache. */
    private void share(long length, Part part) {
        OneDnnElements.share(team, length, (lane, from, all) -> {
            for (int done = 0; done < all; done += Vectors.LARGEST) {
                long mark = lane.scratch().mark();
                part.run(lane, from + done, Math.min(Vectors.LARGEST, all - done));
                lane.scratch().release(mark);
            }
        });
    }
}
