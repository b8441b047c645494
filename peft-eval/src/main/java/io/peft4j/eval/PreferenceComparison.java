package io.peft4j.eval;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.AnswerFault;
import io.peft4j.data.PreferenceEncoder;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.guard.GuardSet;
import io.peft4j.eval.task.Answerer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a tuned model prefers the better of two answers more than its base does, on pairs that it was not trained on.
 *
 * <pre>{@code
 * PreferenceReport report = PreferenceComparison.of(base, model).on(PreferenceRows.pairs(Path.of("held.jsonl")));
 * System.out.println(report.verdict());
 * }</pre>
 *
 * <p>The margin of a pair is the log-probability of the better answer less that of the worse one. It is compared pair
 * by pair, since answers differ in length far more than models do in opinion.
 */
public final class PreferenceComparison {
    private static final Logger LOG = LoggerFactory.getLogger(PreferenceComparison.class);

    private final LanguageModel base;
    private final LanguageModel tuned;
    private ComparisonOptions options = ComparisonOptions.defaults();
    private Optional<GuardSet> guard = Optional.of(GuardSet.builtIn());

    private PreferenceComparison(LanguageModel base, LanguageModel tuned) {
        this.base = Objects.requireNonNull(base, "base");
        this.tuned = Objects.requireNonNull(tuned, "tuned");
    }

    /** A base model against a tuned one. */
    public static PreferenceComparison of(LanguageModel base, LanguageModel tuned) {
        return new PreferenceComparison(base, tuned);
    }

    /** Other statistics; the seed and the level of confidence are of use here. */
    public PreferenceComparison options(ComparisonOptions newOptions) {
        options = Objects.requireNonNull(newOptions, "options");
        return this;
    }

    /** Another guard set. */
    public PreferenceComparison guard(GuardSet set) {
        guard = Optional.of(set);
        return this;
    }

    /** Without a guard set: whether general ability was harmed is not known then. */
    public PreferenceComparison withoutGuard() {
        guard = Optional.empty();
        return this;
    }

    /**
     * Compares on pairs. Those with equal or empty answers are left out, answers are cut at the models' limit; both are
     * told in the log.
     *
     * @throws ConfigurationException when no pair is left
     * @throws io.peft4j.core.error.DataException when a pair cannot be encoded
     */
    public PreferenceReport on(List<PreferenceExample> pairs) {
        AnswerFault.Log faults = new AnswerFault.Log();
        double[] before = margins(base, pairs, faults);
        double[] after = margins(tuned, pairs, new AnswerFault.Log());
        faults.lines("held-out", pairs.size(), limit()).forEach(LOG::warn);
        return PreferenceReport.of(before, after, guard.map(set -> set.compare(Answerer.of(base), Answerer.of(tuned),
                options)), faults.leftOut(), options);
    }

    /** Both models read as much. */
    private int limit() {
        try (ModelLease ofBase = base.lease(); ModelLease ofTuned = tuned.lease()) {
            return Math.min(ofBase.maxPositions(), ofTuned.maxPositions());
        }
    }

    private double[] margins(LanguageModel model, List<PreferenceExample> pairs, AnswerFault.Log faults) {
        PreferenceEncoder encoder = PreferenceEncoder.of(model);
        int limit = limit();
        List<TokenSequence> sequences = new ArrayList<>();
        for (int i = 0; i < pairs.size(); i++) {
            encoder.encode(pairs.get(i), limit, faults, i)
                    .ifPresent(pair -> sequences.addAll(List.of(pair.preferred(), pair.rejected())));
        }
        if (sequences.isEmpty()) {
            throw new ConfigurationException("none of the " + pairs.size() + " pairs can be compared: "
                    + String.join(". ", faults.lines("held-out", pairs.size(), limit)));
        }
        double[] nll = SequenceScorer.negativeLogLikelihoods(model, sequences);
        double[] margins = new double[nll.length / 2];
        for (int i = 0; i < margins.length; i++) {
            margins[i] = nll[2 * i + 1] - nll[2 * i];
        }
        return margins;
    }
}
