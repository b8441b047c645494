package io.peft4j.core.peft.file;

import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.error.AdapterMismatchException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Sha256;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.core.peft.method.StoredForm;
import io.peft4j.core.peft.method.TaskHeads;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.core.weight.TensorInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An adapter on disk, as Hugging Face PEFT's {@code save_pretrained} writes it: a folder with {@value #CONFIG_FILE} and
 * {@value #WEIGHTS_FILE}. The key of a layer's tensor is {@code base_model.model.}, the path of the place, a dot, and
 * the tensor's name.
 *
 * <p>Loading is strict. Every tensor that the configuration asks for must be there in the right shape, and nothing
 * else; all misfits are in one report. Nothing is allocated by a size that only the configuration claims.
 *
 * <p>Where an adapter sits on the embedding or the output layer, Hugging Face PEFT stores the frozen matrix of the base
 * with it ({@code ...base_layer.weight}). Such a copy is compared with the base model: it tells whether the adapter
 * belongs to it. A copy that was there is written again, others where {@link SavedEmbeddings} says so. For the same end
 * a {@link AdapterProvenance} lies in each folder that is saved here; if there is one it is compared with the base
 * model.
 *
 * @param adapter the adapter
 * @param baseCopies keys of the file that hold frozen weights of the base model
 * @param decisions how the adapted model reads typed questions, and what was fitted to its answers
 */
public record AdapterCheckpoint(Adapter adapter, Set<String> baseCopies, DecisionSettings decisions) {
    /** The configuration. */
    public static final String CONFIG_FILE = "adapter_config.json";
    /** The tensors. */
    public static final String WEIGHTS_FILE = "adapter_model.safetensors";
    /**
     * Tensors that Hugging Face PEFT does not store, and that a training needs to go on; only some methods have any.
     */
    public static final String TRAINING_FILE = "adapter_training.safetensors";
    private static final Logger LOG = LoggerFactory.getLogger(AdapterCheckpoint.class);

    /** Copies the set. */
    public AdapterCheckpoint {
        baseCopies = Set.copyOf(baseCopies);
        Objects.requireNonNull(decisions, "decisions");
    }

    /** The same with other settings of decisions. */
    public AdapterCheckpoint withDecisions(DecisionSettings settings) {
        return new AdapterCheckpoint(adapter, baseCopies, settings);
    }

    /** Whether a folder holds an adapter. */
    public static boolean isAdapter(Path folder) {
        return Files.isRegularFile(folder.resolve(CONFIG_FILE));
    }

    /**
     * Reads the configuration alone.
     *
     * @throws io.peft4j.core.error.PeftException when the folder holds no adapter, or its configuration is wrong
     * @throws UncheckedIOException when it cannot be read
     */
    public static PeftConfig readConfig(Path folder) {
        return PeftMethods.readConfig(ConfigReader.read(existing(folder, CONFIG_FILE)));
    }

    /** A new adapter, of which nothing is stored yet; where it fails, nothing is left allocated. */
    public static AdapterCheckpoint create(PeftConfig config, AdapterSetup setup) {
        PeftConfig forTask = TaskHeads.configured(config, setup.network());
        PeftConfig named = forTask.common().baseModel().isPresent() ? forTask
                : forTask.withCommon(named(forTask.common(), setup.base()));
        setup.loadingParts(Optional.empty(), from -> part(from, setup.base()));
        return setup.run(() -> {
            Adapter made = PeftMethods.byType(config.peftType()).create(named, setup);
            return new AdapterCheckpoint(made, Set.of(), setup.base().decisions().withFitted(Map.of(),
                    DecisionCalibration.NONE));
        });
    }

    private static CommonConfig named(CommonConfig common, BaseLanguageModel base) {
        CommonConfig named = common.withBaseModel(base.network().description().name());
        return common.revision().isPresent() ? named : base.revision().map(named::withRevision).orElse(named);
    }

    /**
     * Loads an adapter.
     *
     * @param folder the folder
     * @param base the model that it was made for
     * @throws io.peft4j.core.error.AdapterMismatchException when it does not fit the model, with all misfits
     * @throws io.peft4j.core.error.PeftException when a file is damaged or hostile, or asks for what is not supported
     * @throws UncheckedIOException when a file cannot be read
     */
    public static AdapterCheckpoint load(Path folder, BaseLanguageModel base) {
        return load(folder, base, part -> part(part, base));
    }

    /** A part of an adapter, which has none itself: else a folder could name itself. */
    private static Adapter part(Path folder, BaseLanguageModel base) {
        return load(folder, base, nested -> {
            throw new ConfigurationException("the adapter in " + folder + " is made of others, so that it cannot be a "
                    + "part of one");
        }).adapter();
    }

    private static AdapterCheckpoint load(Path folder, BaseLanguageModel base, Function<Path, Adapter> parts) {
        PeftConfig written = readConfig(folder);
        Path forTraining = folder.resolve(TRAINING_FILE);
        try (SafetensorsFile weights = SafetensorsFile.open(existing(folder, WEIGHTS_FILE));
                SafetensorsFile training = Files.isRegularFile(forTraining) ? SafetensorsFile.open(forTraining)
                        : null) {
            StoredAdapter stored = new StoredAdapter(weights);
            PeftConfig config = stored.named(written, base.network());
            Optional<StoredAdapter> more = Optional.ofNullable(training).map(StoredAdapter::new);
            AdapterSetup setup = AdapterSetup.restoring(base, stored, more).loadingParts(Optional.of(folder), parts);
            return setup.run(() -> {
                Adapter adapter = PeftMethods.byType(config.peftType()).create(config, setup);
                AdapterProvenance.read(folder).ifPresent(passport -> stored.compare(passport.mismatches(base)));
                Set<String> copies = stored.finish(config, adapter, base);
                more.ifPresent(found -> found.finish(config, adapter, base));
                return new AdapterCheckpoint(adapter, copies, DecisionSettings.read(folder, base.decisions()));
            });
        }
    }

    /**
     * Writes the adapter. The files of an adapter that is there are replaced when all of the new ones are complete, the
     * configuration last; other files stay.
     *
     * @param folder the folder; made where it does not exist
     * @param base the model that it belongs to
     * @throws UncheckedIOException when a file cannot be written; the message names it
     */
    public void save(Path folder, BaseLanguageModel base) {
        save(folder, base, SavedEmbeddings.AS_LOADED);
    }

    /**
     * As {@link #save(Path, BaseLanguageModel)}, with a choice of what is stored of the base's embedding and output
     * layer.
     */
    public void save(Path folder, BaseLanguageModel base, SavedEmbeddings embeddings) {
        adapter.parts().forEach((name, part) -> new AdapterCheckpoint(part, Set.of(), base.decisions())
                .save(folder.resolve(name), base));
        StoredForm stored = adapter.stored();
        PeftConfig config = AdapterProvenance.saved(stored.config());
        Map<String, TensorData> forTraining = trainingTensors();
        Map<String, TensorData> tensors = complete(stored.tensors(), base, embeddings);
        Map<Path, AtomicFiles.Content> files = new LinkedHashMap<>();
        files.put(folder.resolve(WEIGHTS_FILE), out -> SafetensorsWriter.write(out, tensors));
        if (!forTraining.isEmpty()) {
            files.put(folder.resolve(TRAINING_FILE), out -> SafetensorsWriter.write(out, forTraining));
        }
        files.put(folder.resolve(AdapterProvenance.FILE),
                AtomicFiles.text(ProvenanceJson.write(AdapterProvenance.of(base, config))));
        decisions.files().forEach((name, text) -> files.put(folder.resolve(name), AtomicFiles.text(text)));
        files.put(folder.resolve(CONFIG_FILE), AtomicFiles.text(config.toJson()));
        AtomicFiles.writeTogether(files);
        if (forTraining.isEmpty()) {
            deleteTrainingFile(folder.resolve(TRAINING_FILE));
        }
        LOG.debug("saved an adapter of method {} in {}", config.peftType(), folder);
    }

    /**
     * The hash of {@value #WEIGHTS_FILE} as {@link #save} would write it now. Two adapters of one configuration with
     * the same hash are the same also in what is not trained and in what they take out of the base's weights.
     */
    public String fingerprint(BaseLanguageModel base) {
        Map<String, TensorData> tensors = complete(adapter.stored().tensors(), base, SavedEmbeddings.AS_LOADED);
        return Sha256.of(out -> SafetensorsWriter.write(out, tensors));
    }

    /** Hugging Face PEFT does not store the network that computes a prompt, and does not look at other files. */
    private Map<String, TensorData> trainingTensors() {
        Map<String, TensorData> tensors = new LinkedHashMap<>();
        adapter.sharedTensors().stream().filter(AdapterTensor::isForTraining)
                .forEach(tensor -> tensors.put(tensor.name(), tensor.stored()));
        return tensors;
    }

    private static void deleteTrainingFile(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot delete " + file + ", which belongs to another adapter: "
                    + e.getMessage(), e);
        }
    }

    /** With what is computed when the adapter is saved, and copies of base weights. */
    private Map<String, TensorData> complete(Map<String, TensorData> stored, BaseLanguageModel base,
            SavedEmbeddings embeddings) {
        Map<String, TensorData> tensors = new LinkedHashMap<>(stored);
        tensors.putAll(adapter.computedTensors(base.engine()));
        Set<String> copies = embeddings.keys(adapter, tensors.keySet(), baseCopies, base);
        for (Slot slot : base.network().slots()) {
            BaseCopy.NAMES.stream().map(name -> AdapterSetup.key(slot, name))
                    .filter(copies::contains).forEach(key -> tensors.put(key, BaseCopy.data(slot)));
        }
        return tensors;
    }

    /**
     * A file of an adapter's folder.
     *
     * @throws FileFormatException when it is not there; the message says what is
     */
    public static Path existing(Path folder, String name) {
        Path file = folder.resolve(name);
        if (Files.isRegularFile(file)) {
            return file;
        }
        if (!Files.isDirectory(folder)) {
            throw new FileFormatException(folder, "is not a folder; an adapter is a folder with " + CONFIG_FILE + " "
                    + "and "
                    + WEIGHTS_FILE);
        }
        Set<String> present = new TreeSet<>();
        Set<String> adapters = new TreeSet<>();
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : (List<Path>) entries.toList()) {
                (isAdapter(entry) ? adapters : present).add(entry.getFileName().toString());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot list " + folder + ": " + e.getMessage(), e);
        }
        String hint = !adapters.isEmpty() ? "; did you mean one of its subfolders " + adapters + "?"
                : present.contains("adapter_model.bin") ? "; adapter_model.bin (pickle) is not supported: load it "
                        + "in Hugging Face PEFT and save it as safetensors"
                        : "; it contains "
                                + (present.size() > 20 ? present.size() + " other files" : present);
        throw new FileFormatException(folder, (isAdapter(folder) ? "has " + CONFIG_FILE + " and no "
                : "is not an adapter: it has no ") + name + hint);
    }

    /** The tensors of a file as an adapter of a language model asks for them. */
    private static final class StoredAdapter extends CheckedTensors {
        private static final Logger LOG = LoggerFactory.getLogger(StoredAdapter.class);
        /** How tensors of the base are called in an adapter's file after the path. */
        private static final List<String> BASE_NAMES = List.of("weight", "bias", BaseCopy.NAME, "base_layer.bias");
        private static final Pattern OTHER_PARTS = Pattern.compile("base_model\\.model\\.(.*?(vision|multi_modal|audio"
                + "|visual)[^.]*\\..*)");
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
                    .forEach(
                            slot -> BaseCopy.NAMES.forEach(name -> embeddings.put(AdapterSetup.key(slot, name), slot)));
            List<String> others = new ArrayList<>();
            for (TensorInfo info : unasked()) {
                String key = info.name();
                if (OTHER_PARTS.matcher(key).matches()) {
                    others.add(key);
                    continue;
                }
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
            if (!others.isEmpty() && base.takesTextPart()) {
                LOG.warn("{}: {} tensors of the parts for images and sounds are left out, such as {}", file().path(),
                        others.size(), others.get(0));
            } else {
                others.forEach(key -> note(
                        "for images and sounds, which are not loaded; ModelOptions.withTextPart leaves them out",
                        key));
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
}
