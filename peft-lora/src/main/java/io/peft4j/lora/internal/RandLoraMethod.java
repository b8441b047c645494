package io.peft4j.lora.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.lora.RandLoraConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** RandLoRA; {@link RandLoraConfig} says what it computes. */
public final class RandLoraMethod extends ConfiguredMethod<RandLoraConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public RandLoraMethod() {
        super(RandLoraConfig.class, "randlora",
                "weights of random matrices shared by all targets, of full rank together",
                "https://arxiv.org/abs/2502.00987");
    }

    @Override
    protected Adapter adapter(RandLoraConfig config, AdapterSetup setup) {
        SharedMatrices.requireSaved(config.saveProjection(), "RandLoRA");
        Targets targets = Targets.of(config.placement(), setup);
        SharedMatrices.Sizes sizes = SharedMatrices.Sizes.of(targets.slots());
        int min = Math.min(sizes.in(), sizes.out());
        int rank = config.rank();
        int bases = RandLoraLayer.bases(min, rank);
        AdapterTensor a = setup.sharedTensor("base_model.randlora_A", start(config, min, min), rank, 1, min);
        AdapterTensor b = setup.sharedTensor("base_model.randlora_B", start(config, min, rank),
                Math.max(sizes.in(), sizes.out()), bases, rank);
        SharedMatrices matrices = new SharedMatrices(List.of(a.frozen().inPlaceOfBase(), b.frozen().inPlaceOfBase()));
        List<AdapterLayer> layers = targets.layers(slot -> new RandLoraLayer(setup, slot, config, matrices, bases));
        return matrices.adapter(targets.named(config), layers, repeated(setup, layers, a.fileShape(), b.fileShape()));
    }

    /** PEFT stores both matrices once more with each layer. */
    private static Map<String, Integer> repeated(AdapterSetup setup, List<AdapterLayer> layers, long[] a, long[] b) {
        Map<String, Integer> keys = new LinkedHashMap<>();
        for (AdapterLayer layer : layers) {
            if (layer instanceof RandLoraLayer) {
                keys.put(setup.idleTensor(layer.slot(), "randlora_A", a), 0);
                keys.put(setup.idleTensor(layer.slot(), "randlora_B", b), 1);
            }
        }
        return keys;
    }

    /** Divided by their standard deviation. */
    private static Initializer start(RandLoraConfig config, int min, int inputs) {
        boolean sparse = config.sparse() || config.verySparse();
        Initializer start = sparse ? signs(config.verySparse() ? Math.sqrt(min) : 3) : Initializer.linear(inputs);
        return start.then(RandLoraMethod::standardized);
    }

    /** -1, 0 and 1, each sign with probability {@code 1 / (2 * sparsity)}. */
    private static Initializer signs(double sparsity) {
        double probability = 1 / (2 * sparsity);
        return (values, random) -> {
            float[] all = new float[Math.toIntExact(values.length())];
            for (int i = 0; i < all.length; i++) {
                double u = random.nextDouble();
                all[i] = u < probability ? -1 : u > 1 - probability ? 1 : 0;
            }
            // A small matrix may have come out as zeros; what has no deviation would carry no signal.
            all[0] = all[0] == 0 ? 1 : all[0];
            Arrays.write(values, 0, all, 0, all.length);
        };
    }

    private static float[] standardized(float[] all) {
        double mean = 0;
        for (float value : all) {
            mean += value;
        }
        mean /= all.length;
        double squares = 0;
        for (float value : all) {
            squares += (value - mean) * (value - mean);
        }
        double deviation = Math.sqrt(squares / Math.max(1, all.length - 1));
        for (int i = 0; i < all.length && deviation > 0; i++) {
            all[i] = (float) (all[i] / deviation);
        }
        return all;
    }
}
