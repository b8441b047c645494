package io.peft4j.core.peft;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.safetensors.SafetensorsFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/** The files of an adapter's folder, opened once, so that an adapter read from them a second time is the same one. */
final class AdapterFiles implements AutoCloseable {
    private final Path folder;
    private final PeftConfig config;
    private final SafetensorsFile weights;
    /** What is for training only; null where there is no such file. */
    private final SafetensorsFile training;

    private AdapterFiles(Path folder, PeftConfig config, SafetensorsFile weights, SafetensorsFile training) {
        this.folder = folder;
        this.config = config;
        this.weights = weights;
        this.training = training;
    }

    /**
     * Opens them.
     *
     * @throws io.peft4j.core.error.PeftException when one is missing, damaged or hostile
     * @throws java.io.UncheckedIOException when one cannot be read
     */
    static AdapterFiles open(Path folder) {
        PeftConfig config = AdapterCheckpoint.readConfig(folder);
        SafetensorsFile weights = SafetensorsFile.open(AdapterCheckpoint.existing(folder,
                AdapterCheckpoint.WEIGHTS_FILE));
        boolean complete = false;
        try {
            Path training = folder.resolve(AdapterCheckpoint.TRAINING_FILE);
            AdapterFiles files = new AdapterFiles(folder, config, weights,
                    Files.isRegularFile(training) ? SafetensorsFile.open(training) : null);
            complete = true;
            return files;
        } finally {
            if (!complete) {
                weights.close();
            }
        }
    }

    /**
     * The adapter, in memory of its own.
     *
     * @throws io.peft4j.core.error.AdapterMismatchException when it does not fit the model, with all that does not
     * @throws io.peft4j.core.error.PeftException when it asks for what is not supported
     */
    AdapterCheckpoint load(BaseLanguageModel base) {
        StoredAdapter stored = new StoredAdapter(weights);
        StoredAdapter forTraining = forTraining();
        AdapterSetup setup = AdapterSetup.restoring(base, stored, forTraining);
        return setup.run(() -> {
            Adapter adapter = create(setup);
            ActiveLayers.of(Map.of(PeftModel.DEFAULT_ADAPTER, adapter));
            Passport.read(folder).ifPresent(passport -> stored.compare(passport, base));
            Set<String> copies = stored.finish(config, adapter, base);
            if (forTraining != null) {
                forTraining.finish(config, adapter, base);
            }
            return new AdapterCheckpoint(adapter, copies);
        });
    }

    /**
     * The adapter in parameters that there are already. It has been {@link #load loaded}, so that all fits.
     *
     * @param present all that it has, by key
     */
    Adapter loadInto(BaseLanguageModel base, Map<String, Parameter> present) {
        return create(AdapterSetup.overwriting(base, new StoredAdapter(weights), forTraining(), present));
    }

    private StoredAdapter forTraining() {
        return training == null ? null : new StoredAdapter(training);
    }

    private Adapter create(AdapterSetup setup) {
        return PeftMethods.byType(config.peftType()).create(config, setup);
    }

    @Override
    public void close() {
        weights.close();
        if (training != null) {
            training.close();
        }
    }
}
