package io.peft4j.core.peft.file;

import io.peft4j.core.error.AdapterMismatchException;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.weight.TensorInfo;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The tensors of a file as an adapter of a language model asks for them. */
final class StoredAdapter extends CheckedTensors {
    private static final Logger LOG = LoggerFactory.getLogger(StoredAdapter.class);
    /** How tensors of the base are called in an adapter's file after the path. */
    private static final List<String> BASE_NAMES = List.of("weight", "bias", BaseCopy.NAME, "base_layer.bias");
    private static final String TRAINED_COPY = ".modules_to_save.";

    StoredAdapter(SafetensorsFile file) {
        super(file);
    }

    /**
     * Collects the tensors that were not requested, and throws if anything did not fit.
     *
     * @return keys that hold frozen weights of the base model
     * @throws AdapterMismatchException with the whole list
     */
    Set<String> finish(PeftConfig config, Adapter adapter, BaseLanguageModel base) {
        Set<String> copies = new HashSet<>();
        Map<String, Slot> adapted = new LinkedHashMap<>();
        adapter.layers().forEach(layer -> adapted.put(AdapterSetup.key(layer.slot(), BaseCopy.NAME), layer.slot()));
        Map<String, Slot> embeddings = new LinkedHashMap<>();
        SavedEmbeddings.layers(base)
                .forEach(slot -> BaseCopy.NAMES.forEach(name -> embeddings.put(AdapterSetup.key(slot, name), slot)));
        for (TensorInfo info : unasked()) {
            String key = info.name();
            Slot slot = adapted.getOrDefault(key, embeddings.get(key));
            if (isWrittenTwice(key)) {
                continue;
            }
            if (slot != null && WeightSample.weight(slot).isPresent() && isReal(info)) {
                compare(slot, key, copies);
            } else if (isBaseWeight(key, base)) {
                note("weights of the base model that modules_to_save does not name",
                        key);
            } else {
                note("not expected", key);
            }
        }
        requireFit(config, base.network().description().name());
        return copies;
    }

    /** PEFT stores a trained copy of a resized embedding once more, under the name that it has in memory. */
    private boolean isWrittenTwice(String key) {
        String once = key.replace(TRAINED_COPY, ".");
        return key.contains(TRAINED_COPY) && file().tensors().containsKey(once)
                && file().tensors().get(once).elements() == file().tensors().get(key).elements()
                && Arrays.equals(file().readFloats(once), file().readFloats(key));
    }

    private void compare(Slot slot, String key, Set<String> copies) {
        BaseCopy.Result result = BaseCopy.compare(slot, file(), key);
        switch (result.comparison()) {
            case EQUAL -> copies.add(key);
            case CLOSE -> LOG.info("{}: {} {}, within rounding; the model's is used", file().path(), key,
                    result.sentence());
            default -> note(OTHER_BASE, key + " " + result.sentence());
        }
    }

    private static boolean isBaseWeight(String key, BaseLanguageModel base) {
        return base.network().slots().stream()
                .anyMatch(slot -> BASE_NAMES.stream().anyMatch(name -> key.equals(AdapterSetup.key(slot, name))));
    }
}
