package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.random.TorchRandom;
import io.peft4j.core.safetensors.TensorData;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** SHiRA; {@link ShiraConfig} says what it computes. */
@Internal
public final class ShiraMethod extends ConfiguredMethod<ShiraConfig> {
    private static final String INDICES = "shira_indices";

    @Override
    protected Adapter adapter(ShiraConfig config, AdapterSetup setup) {
        Map<String, TensorData> indices = new HashMap<>();
        Adapter layers = Targets.of(config.placement(), setup).adapter(config,
                slot -> layer(setup, slot, config, indices));
        return new LayeredAdapter(layers.config(), layers.layers(), List.of(), indices, () -> {
        });
    }

    private static AdapterLayer layer(AdapterSetup setup, Slot slot, ShiraConfig config,
            Map<String, TensorData> indices) {
        Linear linear = (Linear) slot.layer();
        int out = linear.outFeatures();
        int in = linear.inFeatures();
        int elements = Math.multiplyExact(out, in);
        long count = (long) config.rank() * (out + in);
        if (count > elements) {
            throw new ConfigurationException("with r " + config.rank() + " SHiRA changes " + count + " elements of the "
                    + "weight of " + slot.path() + ", which has " + elements + "; use a smaller r");
        }
        AdapterTensor weight = setup.tensor(slot, "shira_weight",
                config.initWeights() ? Initializer.ZEROS : Initializer.normal(1), count);
        int[] places = setup.isRestoring() ? stored(setup, slot, (int) count, in, out)
                : drawn(setup, config, elements, (int) count);
        int[] rowsAndColumns = new int[2 * places.length];
        for (int i = 0; i < places.length; i++) {
            rowsAndColumns[i] = places[i] / in;
            rowsAndColumns[places.length + i] = places[i] % in;
        }
        indices.put(AdapterSetup.key(slot, INDICES), TensorData.i32(new long[] {2, places.length}, rowsAndColumns));
        return new ParameterDelta(setup, slot, weight,
                new ScatteredDelta(out, in, places.length, i -> places[i], i -> i, 1));
    }

    /** The places of a file, row by row; anything where the file is refused. */
    private static int[] stored(AdapterSetup setup, Slot slot, int count, int in, int out) {
        int[] stored = setup.storedIntegers(slot, INDICES, new int[] {out, in}, 2, count);
        return IntStream.range(0, stored.length / 2).map(i -> stored[i] * in + stored[stored.length / 2 + i]).toArray();
    }

    /** Ascending, as the elements of a mask are read. */
    private static int[] drawn(AdapterSetup setup, ShiraConfig config, int elements, int count) {
        if (config.seed().isPresent()) {
            return IntStream.of(new TorchRandom(config.seed().getAsInt()).permutation(elements, count)).sorted()
                    .toArray();
        }
        RandomGenerator random = setup.random();
        Set<Integer> places = new HashSet<>();
        while (places.size() < count) {
            places.add(random.nextInt(elements));
        }
        return places.stream().mapToInt(Integer::intValue).sorted().toArray();
    }
}
