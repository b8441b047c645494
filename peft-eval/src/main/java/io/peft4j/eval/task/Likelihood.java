package io.peft4j.eval.task;

import io.peft4j.core.array.Arena;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How likely texts are to a model: sums of the negative log-likelihoods of the supervised tokens of sequences. Memory
 * does not grow with their number: they are computed in batches of about 2,048 tokens, logits of 256 rows at a time.
 */
final class Likelihood implements AutoCloseable {
    private static final int TOKENS = 2048;
    private static final int ROWS = 256;

    private final LanguageModel model;
    private final Arena arena = new Arena();

    Likelihood(LanguageModel model) {
        this.model = Objects.requireNonNull(model, "model");
    }

    /**
     * One sum for each sequence, in their order.
     *
     * @throws ConfigurationException when a sequence is longer than the model can read
     */
    double[] of(List<TokenSequence> sequences) {
        int longest = model.network().description().maxPositions();
        sequences.stream().filter(sequence -> sequence.length() > longest).findFirst().ifPresent(sequence -> {
            throw new ConfigurationException("a question with its answer has " + sequence.length() + " tokens, more "
                    + "than the " + longest + " that " + model.network().description().name() + " can read");
        });
        double[] sums = new double[sequences.size()];
        List<TokenSequence> batch = new ArrayList<>();
        int tokens = 0;
        int done = 0;
        for (TokenSequence sequence : sequences) {
            if (!batch.isEmpty() && tokens + sequence.length() > TOKENS) {
                done = compute(batch, sums, done);
                tokens = 0;
            }
            batch.add(sequence);
            tokens += sequence.length();
        }
        if (!batch.isEmpty()) {
            compute(batch, sums, done);
        }
        return sums;
    }

    private int compute(List<TokenSequence> batch, double[] sums, int done) {
        PackedBatch packed = PackedBatch.sharingPrefixes(batch);
        if (packed.targets().count() > 0) {
            synchronized (model.kernels()) {
                compute(packed, sums, done);
            }
        }
        int next = done + batch.size();
        batch.clear();
        return next;
    }

    private void compute(PackedBatch batch, double[] sums, int done) {
        try (Tape tape = Tape.inference(model.kernels(), arena, model.network().description().activationType())) {
            ForwardContext context = ForwardContext.evaluation(tape, batch, model.layers());
            PackedBatch.Targets targets = context.batch().targets();
            INDArray rows = model.network().hidden(context, targets.rows()).value();
            for (int from = 0; from < targets.count(); from += ROWS) {
                int to = Math.min(targets.count(), from + ROWS);
                float[] nll = chunk(batch, arena.rows(rows, from, to), Arrays.copyOfRange(targets.ids(), from, to));
                for (int i = from; i < to; i++) {
                    sums[done + targets.sequences()[i]] += nll[i - from];
                }
            }
        } finally {
            arena.reset();
        }
    }

    private float[] chunk(PackedBatch batch, INDArray hidden, int[] ids) {
        float[] nll = new float[ids.length];
        try (Tape tape = Tape.inference(model.kernels(), arena, DataType.FLOAT)) {
            ForwardContext context = ForwardContext.evaluation(tape, batch, model.layers());
            Variable logits = model.network().logits(context, tape.constant(hidden));
            model.kernels().crossEntropy(logits.value(), ids, nll);
        }
        return nll;
    }

    @Override
    public void close() {
        arena.close();
    }
}
