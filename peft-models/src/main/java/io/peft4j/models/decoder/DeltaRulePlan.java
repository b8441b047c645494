package io.peft4j.models.decoder;

import io.peft4j.core.kernel.ScanShape;
import io.peft4j.core.nn.LayerMemory;
import java.util.List;

/**
 * Linear attention by the gated delta rule, as Qwen 3.5 has it; see {@link DeltaRule}.
 *
 * @param name the place below the layer's
 * @param shape heads and sizes
 * @param taps K, the tokens that the convolution before it reads
 */
record DeltaRulePlan(String name, ScanShape shape, int taps) implements MixerPlan {
    /** Columns of queries, keys and values together. */
    int columns() {
        return 2 * shape.keyColumns() + shape.valueColumns();
    }

    @Override
    public LayerMemory memory() {
        return new LayerMemory.State(List.of(new LayerMemory.State.Part(taps - 1, columns()),
                new LayerMemory.State.Part(shape.valueHeads() * shape.keySize(), shape.valueSize())));
    }
}
