package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.TrainedCopies;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is trained as a whole beside the targets of a method: copies of layers, and biases. */
final class WholeLayers {
    private static final Logger LOG = LoggerFactory.getLogger(WholeLayers.class);

    private WholeLayers() {
    }

    /** Trained copies and trained biases. */
    static List<AdapterLayer> of(AdapterSetup setup, List<Slot> targets, List<String> modulesToSave, Bias bias) {
        List<AdapterLayer> layers = new ArrayList<>(TrainedCopies.matching(setup, modulesToSave));
        Set<Slot> copied = new HashSet<>();
        layers.forEach(layer -> copied.add(layer.slot()));
        for (Slot slot : targets) {
            if (copied.contains(slot)) {
                throw new ConfigurationException(slot.path()
                        + " is both a target and in modules_to_save; name it in one");
            }
        }
        if (bias == Bias.NONE) {
            return layers;
        }
        int biases = 0;
        for (Slot slot : setup.network().slots()) {
            boolean target = targets.contains(slot);
            if ((target || bias == Bias.ALL) && !copied.contains(slot) && hasBias(slot.layer())) {
                layers.add(TrainedCopies.biasOf(setup, slot, target));
                biases++;
            }
        }
        if (biases == 0) {
            LOG.warn("bias is '{}', but the layers concerned have no biases", bias.json());
        }
        return layers;
    }

    private static boolean hasBias(Layer layer) {
        return layer instanceof Linear linear && linear.bias().isPresent();
    }
}
