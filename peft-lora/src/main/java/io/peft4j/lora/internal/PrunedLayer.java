package io.peft4j.lora.internal;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.safetensors.TensorData;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A layer at which AdaLoRA has left no rank: it computes as the base. A file holds tensors without elements for it. */
final class PrunedLayer extends AbstractAdapterLayer {
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
