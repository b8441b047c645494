package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.train.optimizer.Updates;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a training writes into a checkpoint and resumes from: its current parts. */
record RunCheckpoint(PeftModel model, RunSettings settings, Updates optimizer, Map<String, TrainingHook> hooks,
        Validation validation, ReferenceValues references, Course course) {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingRun.class);

    /** Writes the adapter, the arrays and the state into a folder. */
    void save(Path folder) {
        model.saveAdapter(folder);
        OptimizerFile.save(folder, arrays());
        new TrainingState(optimizer.steps(), settings, validation.evaluations(), course.toJson()).save(folder);
    }

    /**
     * Makes the parts what they were.
     *
     * @throws ConfigurationException when the checkpoint is of another training
     * @throws io.peft4j.core.error.FileFormatException when it is damaged
     */
    void restore(TrainingState state, Path folder) {
        settings.requireSame(state.settings(), folder);
        OptimizerFile.load(folder, arrays());
        references.restored();
        hooks.values().forEach(TrainingHook::resumed);
        if (settings.isOnSameProcessor(state.settings())) {
            requireSameAdapters(folder);
        }
        optimizer.resumeAfter(state.step());
        validation.addEarlier(state.evaluations());
        LOG.info("the training continues from {}", folder);
    }

    /** With the trained values of a checkpoint an adapter is what was saved there, also in what is not trained. */
    private void requireSameAdapters(Path folder) {
        for (String name : model.activeAdapters()) {
            String file = (name.equals(PeftModel.DEFAULT_ADAPTER) ? "" : name + "/") + AdapterCheckpoint.WEIGHTS_FILE;
            if (!Checkpoints.sumOf(folder, file).equals(model.fingerprint(name))) {
                throw new ConfigurationException("cannot resume from " + folder
                        + ": values that are not trained differ "
                        + "in adapter '" + name + "', such as random matrices of another seed or initial values from "
                        + "other data. Create it as in the run, or load the checkpoint as an adapter and train it "
                        + "again");
            }
        }
    }

    private Map<String, INDArray> arrays() {
        Map<String, INDArray> arrays = new LinkedHashMap<>(optimizer.arrays());
        hooks.forEach(
                (name, hook) -> hook.arrays().forEach((key, array) -> arrays.put(name + "." + key + ".hook", array)));
        arrays.putAll(validation.arrays());
        arrays.putAll(references.arrays());
        return arrays;
    }
}
