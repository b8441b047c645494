package io.peft4j.lora;

import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.AdapterTensor;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.Initializer;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftMethod;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** RandLoRA; {@link RandLoraConfig} says what it computes. */
public final class RandLoraMethod implements PeftMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public RandLoraMethod() {
    }

    @Override
    public String peftType() {
        return RandLoraConfig.PEFT_TYPE;
    }

    @Override
    public String name() {
        return "randlora";
    }

    @Override
    public String description() {
        return "weights of random matrices shared by all targets, of full rank together";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2502.00987";
    }

    @Override
    public Map<String, String> optionKeys() {
        return Map.of("rank", "r", "alpha", "randlora_alpha", "dropout", "randlora_dropout", "target-modules",
                "target_modules");
    }

    @Override
    public RandLoraConfig readConfig(ConfigReader reader) {
        return RandLoraConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        RandLoraConfig config = (RandLoraConfig) peftConfig;
        SharedMatrices.requireSaved(config.saveProjection(), "RandLoRA");
        SharedMatrices.Sizes sizes = SharedMatrices.Sizes.of(Targets.select(setup, config.modules()));
        int min = Math.min(sizes.in(), sizes.out());
        int rank = config.rank();
        int bases = RandLoraLayer.bases(min, rank);
        AdapterTensor a = setup.sharedTensor("base_model.randlora_A", start(config, min, min), rank, 1, min);
        AdapterTensor b = setup.sharedTensor("base_model.randlora_B", start(config, min, rank),
                Math.max(sizes.in(), sizes.out()), bases, rank);
        SharedMatrices matrices = new SharedMatrices(List.of(a.frozen().inPlaceOfBase(), b.frozen().inPlaceOfBase()));
        List<AdapterLayer> layers = Targets.layers(setup, config.modules(), config.bias(),
                slot -> new RandLoraLayer(setup, slot, config, matrices, bases));
        return matrices.adapter(config.toBuilder().modules(Targets.resolved(setup, config.modules())).build(), layers,
                repeated(setup, layers, a.fileShape(), b.fileShape()));
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

    private static Initializer start(RandLoraConfig config, int min, int inputs) {
        if (config.sparse() || config.verySparse()) {
            return Starts.sparse(config.verySparse() ? Math.sqrt(min) : 3);
        }
        return Starts.standardized(Initializer.linear(inputs));
    }
}
