package io.peft4j.core.task;

import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Runs sequences through a model with a head, in batches of bounded size. */
final class HeadPasses {
    private static final int TOKENS_PER_BATCH = 2048;

    private HeadPasses() {
    }

    /**
     * Checks that a model is for one of the given tasks.
     *
     * @throws ConfigurationException when it is not
     */
    public static Task require(Model model, Task.Type type) {
        Task task = model.network().task();
        if (task.type() != type) {
            throw new ConfigurationException(model.network().description().name() + " was loaded for " + task.type()
                    + ", not for " + type + "; load it with ModelOptions.withTask");
        }
        return task;
    }

    /**
     * The head's result for each sequence: one row, or, where tokens are judged, one row a token, row after row.
     *
     * @throws ConfigurationException when a sequence is longer than the model can read
     */
    public static List<float[]> outputs(Model model, List<TokenSequence> sequences) {
        List<float[]> all = new ArrayList<>(sequences.size());
        try (ModelLease lease = model.lease(); Workspace workspace = model.engine().workspace(Priority.ANSWER)) {
            int from = 0;
            int tokens = 0;
            for (int i = 0; i < sequences.size(); i++) {
                int length = sequences.get(i).length();
                if (length > lease.maxPositions()) {
                    throw new ConfigurationException("a text has " + length + " tokens, more than the "
                            + lease.maxPositions() + " that " + lease.network().description().name() + " can read");
                }
                if (i > from && tokens + length > TOKENS_PER_BATCH) {
                    run(lease, workspace, sequences.subList(from, i), all);
                    from = i;
                    tokens = 0;
                }
                tokens += length;
            }
            if (from < sequences.size()) {
                run(lease, workspace, sequences.subList(from, sequences.size()), all);
            }
        }
        return all;
    }

    private static void run(ModelLease model, Workspace workspace, List<TokenSequence> batch, List<float[]> results) {
        boolean tokens = model.network().task().type().judgesTokens() && !model.network().headed().comparesVectors();
        try (Pass pass = Pass.evaluation(model, workspace, PackedBatch.of(batch))) {
            float[] outputs = pass.outputs();
            int columns = outputs.length / (tokens ? pass.batch().rows() : batch.size());
            int at = 0;
            for (TokenSequence sequence : batch) {
                int count = tokens ? sequence.length() * columns : columns;
                results.add(Arrays.copyOfRange(outputs, at, at + count));
                at += count;
            }
        }
    }
}
