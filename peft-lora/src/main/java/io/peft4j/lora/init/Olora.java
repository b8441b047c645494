package io.peft4j.lora.init;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;

/**
 * OLoRA (<a href="https://arxiv.org/abs/2406.01775">2406.01775</a>): of the base weight W = Q R the first r columns of
 * Q as b and the first r rows of R = Q^T W as a.
 */
record Olora() implements LoraInit {
    @Override
    public String json() {
        return "\"olora\"";
    }

    @Override
    public BasePart basePart() {
        return BasePart.REPEATABLE;
    }

    @Override
    public double autoRateFactor() {
        return 0.2;
    }

    @Override
    public List<LoraTarget> begin(AdapterSetup setup, List<LoraTarget> targets) {
        return LoraTarget.each(targets, this::start);
    }

    LoraStart start(LoraTarget target) {
        target.requireRank(this, target.rank());
        FrozenWeight weight = target.linear().weight();
        int rank = target.rank();
        int m = weight.rows();
        int n = weight.columns();
        double[] w = Decompositions.values(weight);
        double[] q = Decompositions.orthonormal(w, m, n, rank);
        float[] a = new float[rank * n];
        double[] sum = new double[n];
        for (int k = 0; k < rank; k++) {
            java.util.Arrays.fill(sum, 0);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    sum[j] += q[i * rank + k] * w[i * n + j];
                }
            }
            for (int j = 0; j < n; j++) {
                a[k * n + j] = (float) sum[j];
            }
        }
        return new LoraStart(a, Arrays.floats(q), true);
    }
}
