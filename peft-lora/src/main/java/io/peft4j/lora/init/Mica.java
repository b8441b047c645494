package io.peft4j.lora.init;

import io.peft4j.core.array.SingularValues;
import io.peft4j.core.peft.method.AdapterSetup;
import java.util.List;

/**
 * MiCA (<a href="https://arxiv.org/abs/2604.01694">2604.01694</a>): B is what the base weight uses least, the left
 * vectors of its r smallest singular values, and stays so; A begins at zero and alone is trained. An embedding's
 * weight is its table transposed [H, V].
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
        return targets.stream().map(target -> target.startingWith(() -> start(target))).toList();
    }

    private LoraStart start(LoraTarget target) {
        int rank = target.rank();
        target.requireRank(this, rank);
        int all = Math.min(target.out(), target.in());
        SingularValues parts = target.decompose(this, target.weight(), all);
        float[] b = new float[target.out() * rank];
        for (int i = 0; i < b.length; i++) {
            b[i] = (float) parts.u()[i / rank * all + all - rank + i % rank];
        }
        return new LoraStart(new float[rank * target.in()], b, false);
    }
}
