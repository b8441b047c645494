package io.peft4j.train.objective;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.List;
import java.util.Optional;

/**
 * The loss of sequences by what a teacher expects along them, with its gradient. The teacher runs beside the student in
 * each pass; its logits are never all in memory.
 *
 * @param student the model that is trained
 * @param teacher the model that it learns from
 * @param base whether the teacher runs without its adapters
 * @param token the loss of a token
 * @param entropy what the mean cross-entropy is called
 * @param measure what the mean divergence is called
 */
record TeacherLoss(LanguageModel student, LanguageModel teacher, boolean base, DistilledToken token, String entropy,
        String measure) {
    /**
     * A sequence.
     *
     * @param learned what the student reads
     * @param taught what the teacher reads, with as many supervised tokens; empty where it says nothing
     */
    record Lesson(TokenSequence learned, Optional<TokenSequence> taught) {
        /** Both read the same. */
        static Lesson of(TokenSequence sequence) {
            return new Lesson(sequence, Optional.of(sequence));
        }

        /** The teacher says nothing: the cross-entropy is the loss. */
        static Lesson untaught(TokenSequence sequence) {
            return new Lesson(sequence, Optional.empty());
        }
    }

    /** Logits of the teacher for some of the supervised tokens that it knows. */
    @FunctionalInterface
    private interface Expectations {
        float[] logits(int from, int to);
    }

    /** What is done while the teacher's hidden states are there. */
    @FunctionalInterface
    private interface Work {
        double run(Expectations expectations);
    }

    /**
     * The weighted sum of the losses, with gradients of {@code sum / normalizer}.
     *
     * @param part number of the pass
     * @param weight the weight of the examples, for what routers add
     */
    double backward(Passes passes, int part, List<Lesson> lessons, double weight, double normalizer) {
        List<TokenSequence> sequences = lessons.stream().map(Lesson::learned).toList();
        return besideTeacher(lessons, expectations -> passes.training(part, sequences, pass -> {
            Sums sums = new Sums(pass.batch().targets(), lessons, expectations, normalizer);
            double loss = pass.withRouterLoss(weight, normalizer)
                    .backwardOfLogits((from, to, logits) -> sums.add(from, logits));
            sums.report(passes);
            return loss;
        }));
    }

    /** The weighted sum of the losses. */
    double loss(Passes passes, List<Lesson> lessons) {
        List<TokenSequence> sequences = lessons.stream().map(Lesson::learned).toList();
        return besideTeacher(lessons, expectations -> passes.evaluation(sequences, pass -> {
            Sums sums = new Sums(pass.batch().targets(), lessons, expectations, 1);
            pass.logits(pass.batch().targets().rows(), (from, chunk) -> sums.add(from, Arrays.toFloats(chunk)));
            return sums.report(passes);
        }));
    }

    private double besideTeacher(List<Lesson> lessons, Work work) {
        List<TokenSequence> sequences = lessons.stream().flatMap(lesson -> lesson.taught().stream()).toList();
        if (sequences.isEmpty()) {
            return work.run((from, to) -> new float[0]);
        }
        try (ModelLease lease = teacher.lease();
                Workspace workspace = teacher.engine().workspace(Priority.WORK);
                Pass pass = Pass.evaluation(base ? lease.withLayers(LayerSelection.BASE) : lease, workspace,
                        lease.network().pack(sequences))) {
            Variable hidden = pass.hidden(pass.batch().targets().rows());
            return work.run((from, to) -> from == to ? new float[0] : pass.logits(hidden, from, to));
        }
    }

    /** The losses of a batch's tokens. */
    private final class Sums {
        private final PackedBatch.Targets targets;
        private final Expectations expectations;
        private final double normalizer;
        /** For each target the number of the teacher's, or -1. */
        private final int[] taught;
        private double loss;
        private double entropy;
        private double divergence;
        private int compared;

        Sums(PackedBatch.Targets targets, List<Lesson> lessons, Expectations expectations, double normalizer) {
            this.targets = targets;
            this.expectations = expectations;
            this.normalizer = normalizer;
            this.taught = new int[targets.count()];
            for (int i = 0; i < taught.length; i++) {
                taught[i] = lessons.get(targets.sequences()[i]).taught().isPresent() ? compared++ : -1;
            }
        }

        /** Takes the logits of some targets, and replaces them by derivatives. */
        double add(int from, float[] logits) {
            int count = logits.length / token.columns();
            int[] rows = java.util.Arrays.copyOfRange(taught, from, from + count);
            int first = java.util.Arrays.stream(rows).filter(row -> row >= 0).min().orElse(0);
            int end = java.util.Arrays.stream(rows).max().orElse(-1) + 1;
            for (int i = 0; i < count; i++) {
                rows[i] = rows[i] < 0 ? -1 : rows[i] - first;
            }
            double[][] losses = token.rows(logits,
                    new DistilledToken.Taught(expectations.logits(first, Math.max(first, end)), rows),
                    java.util.Arrays.copyOfRange(targets.ids(), from, from + count),
                    java.util.Arrays.copyOfRange(targets.weights(), from, from + count), normalizer);
            double before = loss;
            for (int i = 0; i < count; i++) {
                loss += targets.weights()[from + i] * (rows[i] < 0 ? losses[i][0]
                        : (1 - token.share()) * losses[i][0]
                                + token.share() * token.temperature() * token.temperature() * losses[i][1]);
                entropy += losses[i][0];
                divergence += losses[i][1];
            }
            return loss - before;
        }

        double report(Passes passes) {
            passes.measure(TeacherLoss.this.entropy, entropy, targets.count());
            passes.measure(measure, divergence, compared);
            return loss;
        }
    }
}
