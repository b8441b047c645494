package io.peft4j.lora.internal;

import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.lora.LoKrConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * LoKr on a linear layer (<a href="https://arxiv.org/abs/2309.14859">2309.14859</a>): {@code D = s * (W1 x W2)}, the
 * Kronecker product, {@code y = base(x) + x D^T}: W1 [a, c], W2 [b, d], {@code out = a b}, {@code in = c d},
 * {@code a <= b}, {@code c <= d}. A factor [m, n] is a product [m, r] [r, n] where {@code r < max(m, n) / 2}, W1 only
 * if {@code decompose_both} is on. {@code a c + b d} parameters where both are whole.
 */
final class LoKrLayer extends LycorisLayer {
    private final float scaling;
    private final List<AdapterTensor> first;
    private final List<AdapterTensor> second;

    LoKrLayer(AdapterSetup setup, Slot slot, LoKrConfig config, int rank, double alpha) {
        super(setup, slot, config.rankDropout(), config.moduleDropout(), config.rankDropoutScale());
        Linear linear = linear();
        int[] out = factors(linear.outFeatures(), config.decomposeFactor());
        int[] in = factors(linear.inFeatures(), config.decomposeFactor());
        LoKrConfig.Initialization start = config.initialization();
        this.scaling = (float) (alpha / rank);
        boolean split = config.decomposeBoth() && rank < Math.max(out[0], in[0]) / 2.0;
        // Of a product the first factor is zero in W1 and the second in W2, as in PEFT.
        this.first = factor(setup, slot, "lokr_w1", out[0], in[0], split ? rank : 0,
                start == LoKrConfig.Initialization.ZERO_W1, true);
        this.second = factor(setup, slot, "lokr_w2", out[1], in[1],
                rank < Math.max(out[1], in[1]) / 2.0 ? rank : 0, start == LoKrConfig.Initialization.ZERO_W2, false);
    }

    private static List<AdapterTensor> factor(AdapterSetup setup, Slot slot, String name, int rows, int columns,
            int rank, boolean zero, boolean zeroIsFirst) {
        if (rank == 0) {
            return List.of(setup.tensor(slot, name, zero ? Initializer.ZEROS : Initializer.linear(columns), rows,
                    columns));
        }
        return List.of(
                setup.tensor(slot, name + "_a", zero && zeroIsFirst ? Initializer.ZEROS : Initializer.linear(rank),
                        rows, rank),
                setup.tensor(slot, name + "_b", zero && !zeroIsFirst ? Initializer.ZEROS
                        : Initializer.linear(columns), rank, columns));
    }

    /**
     * Two factors m, n of a size with m at most n: {@code factor} itself where it divides the size, otherwise as close
     * to each other as {@code m <= factor} allows, and -1 means without that bound.
     */
    static int[] factors(int size, int factor) {
        if (factor > 0 && size % factor == 0) {
            int other = size / factor;
            return new int[] {factor, other};
        }
        int bound = factor == -1 ? size : factor;
        int m = 1;
        for (int next = 2; next <= bound && (long) next * next <= size; next++) {
            if (size % next == 0) {
                m = next;
            }
        }
        return new int[] {m, size / m};
    }

    @Override
    public List<AdapterTensor> tensors() {
        List<AdapterTensor> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }

    @Override
    protected Variable delta(Tape tape) {
        return Kronecker.product(tape, whole(tape, first), whole(tape, second), scaling);
    }

    private static Variable whole(Tape tape, List<AdapterTensor> factor) {
        Variable left = tape.parameter(factor.get(0).parameter());
        return factor.size() == 1 ? left
                : MatrixOps.product(tape, left, false, tape.parameter(factor.get(1).parameter()), false);
    }
}
