package io.peft4j.train;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Closer;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.pack.Seeds;
import io.peft4j.train.optimizer.AdamW;
import io.peft4j.train.optimizer.Optimizer;
import io.peft4j.train.optimizer.Updates;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The parts of a training for a loop of one's own: gradients, updates, samples, log-probabilities.
 *
 * <pre>{@code
 * try (TrainingSession session = TrainingSession.of(model)) {
 *     for (int i = 0; i < 10; i++) {
 *         session.forwardBackward(batch, TokenLoss.crossEntropy());
 *         session.step(1e-3);
 *     }
 * }
 * }</pre>
 *
 * <p>It trains the adapters that are active when it is made; two sessions train two adapters in turn on one base.
 * No other training may use them until it is closed. For use by one thread.
 */
public final class TrainingSession implements AutoCloseable {
    /** In a saved session the number of its updates and passes. */
    private static final String STATE = "session.txt";
    private static final double MAX_GRADIENT_NORM = 1;

    private final PeftModel model;
    private final long seed;
    private final List<Parameter> parameters;
    private final Updates updates;
    private final TrainingPasses passes;
    private final Closer owned;
    private long passesDone;

    private TrainingSession(PeftModel model, Optimizer optimizer, long seed) {
        this.model = model;
        this.seed = seed;
        this.parameters = model.trainableParameters();
        if (parameters.isEmpty()) {
            throw new ConfigurationException("there is nothing to train: no adapter is active, or the active ones have "
                    + "no trainable parameter");
        }
        try (Closer opened = new Closer()) {
            opened.add(model.leaseForTraining());
            this.passes = opened.add(TrainingPasses.of(model));
            this.updates = opened.add(new Updates(model.engine(), parameters, optimizer, 0));
            parameters.forEach(Parameter::clearGradient);
            opened.add(() -> parameters.forEach(Parameter::clearGradient));
            this.owned = opened.keep();
        }
    }

    /** A session with AdamW and without weight decay. */
    public static TrainingSession of(PeftModel model) {
        return of(model, AdamW.DEFAULT, 0);
    }

    /**
     * A session.
     *
     * @param seed seed of dropout
     * @throws ConfigurationException when there is nothing to train
     */
    public static TrainingSession of(PeftModel model, Optimizer optimizer, long seed) {
        return new TrainingSession(model, optimizer, seed);
    }

    /**
     * Adds the gradients of a loss to those of the trained parameters.
     *
     * @param batch sequences; learned are the tokens that have a weight
     * @return the loss
     */
    public double forwardBackward(List<TokenSequence> batch, TokenLoss loss) {
        return passes.training(model.network().pack(batch), Seeds.mix(seed, passesDone++),
                pass -> pass.backward((nll, gradient) -> {
                    float[][] values = split(pass.batch(), batch.size(), nll);
                    float[][] derivatives = new float[values.length][];
                    for (int i = 0; i < values.length; i++) {
                        derivatives[i] = new float[values[i].length];
                    }
                    double value = loss.compute(values, derivatives);
                    int at = 0;
                    for (float[] sequence : derivatives) {
                        for (float derivative : sequence) {
                            gradient[at++] = -derivative;
                        }
                    }
                    return value;
                }));
    }

    /** An update with the gradients as they stand, scaled down to a norm of 1; clears them. */
    public void step(double learningRate) {
        updates.step(learningRate, Math.min(1, MAX_GRADIENT_NORM / (updates.gradientNorm() + 1e-6)));
    }

    /** Answers of the model as it is now. */
    public List<Completion> sample(List<Prompt> prompts, GenerationOptions options) {
        return model.generate(prompts, options);
    }

    /** The log-probabilities of each sequence's learned tokens, without dropout. */
    public float[][] logProbabilities(List<TokenSequence> sequences) {
        return passes.evaluation(model.network().pack(sequences),
                pass -> split(pass.batch(), sequences.size(), pass.negativeLogLikelihoods()));
    }

    private static float[][] split(PackedBatch batch, int count, float... nll) {
        int[] sequences = batch.targets().sequences();
        float[][] values = new float[count][];
        int at = 0;
        for (int i = 0; i < count; i++) {
            int from = at;
            while (at < sequences.length && sequences[at] == i) {
                at++;
            }
            values[i] = new float[at - from];
            for (int t = from; t < at; t++) {
                values[i][t - from] = -nll[t];
            }
        }
        return values;
    }

    /** The number of updates so far. */
    public long steps() {
        return updates.steps();
    }

    /** Writes the adapter into a folder, and beside it what {@link #load} needs to go on. */
    public void save(Path folder) {
        model.saveAdapter(folder);
        OptimizerFile.save(folder, updates.arrays());
        AtomicFiles.writeString(folder.resolve(STATE), updates.steps() + " " + passesDone + "\n");
    }

    /**
     * Makes parameters and optimizer what they were, so that what follows is the same bit for bit.
     *
     * @throws FileFormatException when the folder is of another adapter or optimizer, or damaged
     */
    public void load(Path folder) {
        Path file = folder.resolve(STATE);
        String[] state;
        try {
            state = Files.readString(file).strip().split(" ");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + AtomicFiles.reason(e), e);
        }
        if (state.length != 2 || !(state[0] + state[1]).matches("\\d{1,30}")) {
            throw new FileFormatException(file, "must hold two numbers: updates and passes");
        }
        OptimizerFile.load(folder, updates.arrays());
        updates.resumeAfter(Long.parseLong(state[0]));
        passesDone = Long.parseLong(state[1]);
        parameters.forEach(Parameter::clearGradient);
    }

    @Override
    public void close() {
        owned.close();
    }
}
