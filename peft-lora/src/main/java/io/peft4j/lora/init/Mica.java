package io.peft4j.lora.init;

import io.peft4j.core.array.SingularValues;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;

/**
 * MiCA (<a href="https://arxiv.org/abs/2604.01694">2604.01694</a>): B is what the base weight uses least, the left
 * vectors of its r smallest singular values, and stays so; A begins at zero and is all that is trained.
 */
record Mica() implements LoraInit {
    @Override
    public String json() {
        return "\"mica\"";
    }

    @Override
    public boolean freezesB() {
        return true;
    }

    @Override
    public List<LoraTarget> begin(AdapterSetup setup, List<LoraTarget> targets) {
        return LoraTarget.each(targets, this::start);
    }

    private LoraStart start(LoraTarget target) {
        FrozenWeight weight = target.linear().weight();
        int rank = target.rank();
        target.requireRank(this, rank);
        int all = Math.min(weight.rows(), weight.columns());
        SingularValues parts = target.decompose(this, Decompositions.values(weight), all);
        float[] b = new float[weight.rows() * rank];
        for (int i = 0; i < b.length; i++) {
            b[i] = (float) parts.u()[i / rank * all + all - rank + i % rank];
        }
        return new LoraStart(new float[rank * weight.columns()], b, false);
    }
}
