package io.peft4j.methods;

import io.peft4j.core.engine.Engine;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.core.safetensors.TensorData;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * An adapter that puts virtual tokens before every sequence, as rows of the batch or as keys and values that are there
 * already.
 */
final class VirtualTokenAdapter extends LayeredAdapter {
    private final int count;
    private final VirtualSource source;
    private final UnaryOperator<PackedBatch> preparation;
    private final Function<PackedBatch, PackedBatch.Targets> learned;

    VirtualTokenAdapter(PeftConfig config, int count, VirtualSource source, List<AdapterLayer> layers,
            UnaryOperator<PackedBatch> preparation) {
        this(config, count, source, layers, preparation, PackedBatch::targets);
    }

    private VirtualTokenAdapter(PeftConfig config, int count, VirtualSource source, List<AdapterLayer> layers,
            UnaryOperator<PackedBatch> preparation, Function<PackedBatch, PackedBatch.Targets> learned) {
        super(config, layers);
        this.count = count;
        this.source = source;
        this.preparation = preparation;
        this.learned = learned;
    }

    /** The same adapter that learns something else than a batch's targets. */
    VirtualTokenAdapter learning(Function<PackedBatch, PackedBatch.Targets> more) {
        return new VirtualTokenAdapter(config(), count, source, layers(), preparation, more);
    }

    @Override
    public List<AdapterTensor> sharedTensors() {
        return source.tensors();
    }

    @Override
    public PackedBatch prepare(PackedBatch batch) {
        return preparation.apply(batch);
    }

    @Override
    public PackedBatch.Targets learned(PackedBatch prepared) {
        return learned.apply(prepared);
    }

    @Override
    public int virtualTokens() {
        return count;
    }

    @Override
    public TrainingHook training(long totalSteps) {
        return source.training();
    }

    @Override
    public Map<String, TensorData> computedTensors(Engine engine) {
        return source.computedTensors(engine);
    }
}
