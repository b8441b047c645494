package io.peft4j.onednn.internal;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.internal.ActivationLoops;
import io.peft4j.onednn.internal.BinarySpec.Operator;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Activations: SiLU's gate by oneDNN, the others in loops over heap tiles. */
final class OneDnnActivations extends ActivationLoops {
    private final Team team;

    OneDnnActivations(Team team) {
        super(team.workers());
        this.team = team;
    }

    @Override
    public void gated(Activation f, INDArray gate, INDArray up, INDArray y) {
        if (f != Activation.SILU) {
            super.gated(f, gate, up, y);
            return;
        }
        Span gates = Span.of(gate);
        Span ups = Span.of(up);
        Span ys = Span.of(y);
        if (OneDnnElements.areFew(y.length()) && team.caller().loops().vectorized()) {
            team.alone((lane, unused) -> siluMultiply(lane, gates, ups, ys, (int) y.length()));
            return;
        }
        OneDnnElements.share(team, y.length(), (lane, from, all) -> tiles(lane, from, all, (l, first, count) -> {
            Vectors.gate(l, gates.from(first), ups.from(first), ys.from(first), count);
        }));
    }

    private static void siluMultiply(Lane lane, Span gate, Span up, Span y, int count) {
        float[] g = lane.floats(1, count);
        float[] u = lane.floats(2, count);
        OneDnnElements.read(lane, gate, g, count);
        OneDnnElements.read(lane, up, u, count);
        lane.loops().siluMultiply(g, u, u, 0, count);
        OneDnnElements.write(lane, u, y, count);
    }

    // dUp = dy * swish(gate), dGate = dy * up * swish'(gate)
    @Override
    public void gatedBackward(Activation f, INDArray dy, INDArray gate, INDArray up, INDArray dGate, INDArray dUp) {
        if (f != Activation.SILU) {
            super.gatedBackward(f, dy, gate, up, dGate, dUp);
            return;
        }
        Span dys = Span.of(dy);
        Span gates = Span.of(gate);
        Span ups = Span.of(up);
        Span dGates = Span.of(dGate);
        Span dUps = Span.of(dUp);
        OneDnnElements.share(team, dy.length(), (lane, from, all) -> tiles(lane, from, all, (l, first, count) -> {
            Span x = gates.from(first);
            Span product = Span.scratch(l, gates.type(), count);
            Vectors.binary(l, Operator.MULTIPLY, dys.from(first), ups.from(first), product, false, count);
            Vectors.gate(l, x, dys.from(first), dUps.from(first), count);
            if (dGates.type() == gates.type()) {
                Vectors.swishBackward(l, x, product, dGates.from(first), count);
            } else {
                Vectors.swishBackward(l, x, product, product, count);
                Vectors.convert(l, product, dGates.from(first), count);
            }
        }));
    }

    /** Cuts a part into pieces of which several fit into the second-level cache. */
    private static void tiles(Lane lane, long first, int count, OneDnnElements.Part part) {
        int size = Vectors.LARGEST;
        for (int done = 0; done < count; done += size) {
            long mark = lane.scratch().mark();
            part.run(lane, first + done, Math.min(size, count - done));
            lane.scratch().release(mark);
        }
    }
}
