package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.StoredForm;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.core.safetensors.TensorData;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** AdaLoRA's layers, and which of their ranks a training has left. In a file the others are cut off. */
final class AdaLoraAdapter extends LayeredAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(AdaLoraAdapter.class);

    /** Whether the tensors are cut already, as in a file of an adapter whose ranks were chosen. */
    private final boolean cut;
    /** The length of the schedule that was asked for; else each training has its own. */
    private final OptionalInt asked;
    private AdaLoraConfig config;

    AdaLoraAdapter(AdaLoraConfig config, List<AdapterLayer> layers) {
        super(config, layers);
        this.config = config;
        this.cut = config.rankPattern().isPresent();
        this.asked = config.totalSteps();
    }

    @Override
    public AdaLoraConfig config() {
        return config;
    }

    List<AdaLoraLayer> decomposed() {
        return layers().stream().filter(AdaLoraLayer.class::isInstance).map(AdaLoraLayer.class::cast).toList();
    }

    void leave(RankPattern pattern) {
        config = config.toBuilder().rankPattern(Optional.of(pattern)).build();
    }

    @Override
    public TrainingHook training(long totalSteps) {
        long total = asked.orElse(Math.toIntExact(totalSteps));
        if (total != totalSteps) {
            LOG.warn("AdaLoRA's schedule counts with {} updates (total_step), the training has {}", total, totalSteps);
        }
        config = config.toBuilder().totalSteps(Math.toIntExact(total)).build();
        if (!cut) {
            // All ranks are trained again; what an earlier training has cut is zero until then.
            config = config.toBuilder().rankPattern(Optional.empty()).build();
        }
        return new RankAllocator(this, total, cut);
    }

    @Override
    public StoredForm stored() {
        StoredForm whole = super.stored();
        Map<String, TensorData> tensors = new LinkedHashMap<>(whole.tensors());
        layers().stream().filter(PrunedLayer.class::isInstance)
                .forEach(layer -> tensors.putAll(((PrunedLayer) layer).stored()));
        if (cut || config.rankPattern().isEmpty()) {
            return new StoredForm(config, tensors);
        }
        for (AdaLoraLayer layer : decomposed()) {
            int[] kept = config.rankPattern().get().indices(layer.slot().path(), config.initialRank());
            put(tensors, layer.a(), rows(layer.a(), kept));
            put(tensors, layer.e(), rows(layer.e(), kept));
            put(tensors, layer.b(), columns(layer.b(), kept));
        }
        return new StoredForm(config, tensors);
    }

    private static void put(Map<String, TensorData> tensors, AdapterTensor tensor, TensorData data) {
        tensors.put(tensor.parameter().name(), data);
    }

    private static TensorData rows(AdapterTensor tensor, int[] kept) {
        float[] values = Arrays.toFloats(tensor.parameter().value());
        int columns = Arrays.columns(tensor.parameter().value());
        float[] result = new float[kept.length * columns];
        for (int i = 0; i < kept.length; i++) {
            System.arraycopy(values, kept[i] * columns, result, i * columns, columns);
        }
        return TensorData.f32(new long[] {kept.length, columns}, result);
    }

    private static TensorData columns(AdapterTensor tensor, int[] kept) {
        float[] values = Arrays.toFloats(tensor.parameter().value());
        int rows = Arrays.rows(tensor.parameter().value());
        int columns = Arrays.columns(tensor.parameter().value());
        float[] result = new float[rows * kept.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = values[i / kept.length * columns + kept[i % kept.length]];
        }
        return TensorData.f32(new long[] {rows, kept.length}, result);
    }

    /** The layer at a place, with the ranks that are left in a stored adapter, with all in a new one. */
    static AdapterLayer layer(AdapterSetup setup, Slot slot, AdaLoraConfig config) {
        int rank = config.rankPattern().map(pattern -> pattern.indices(slot.path(), config.initialRank()).length)
                .orElse(config.initialRank());
        return rank == 0 ? new PrunedLayer(setup, slot) : new AdaLoraLayer(setup, slot, config, rank);
    }

    /**
     * A layer at which AdaLoRA has left no rank: it computes as the base. A file holds tensors without elements for it.
     */
    private static final class PrunedLayer extends AbstractAdapterLayer {
        private final Map<String, TensorData> stored = new LinkedHashMap<>();

        PrunedLayer(AdapterSetup setup, Slot slot) {
            super(slot);
            Linear linear = linear();
            put(setup, "lora_A", 0, linear.inFeatures());
            put(setup, "lora_B", linear.outFeatures(), 0);
            put(setup, "lora_E", 0, 1);
        }

        private void put(AdapterSetup setup, String name, long... shape) {
            stored.put(setup.idleTensor(slot(), name, shape), TensorData.f32(shape, new float[0]));
        }

        /** The tensors without elements, by their keys. */
        Map<String, TensorData> stored() {
            return stored;
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            return base.forward(context, x);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of();
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            // There is nothing to add.
        }
    }
}
