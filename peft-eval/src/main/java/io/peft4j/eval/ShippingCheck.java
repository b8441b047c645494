package io.peft4j.eval;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.ModelMeasures;
import io.peft4j.eval.task.Perplexity;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What a tuning lost on its way into a file: the same held-out questions asked of the model before, and of what was
 * read back from the file.
 *
 * <pre>{@code
 * ShippingCheck.Asked before = ShippingCheck.ask(model, items, GenerationOptions.defaults());
 * ModelExport.of(model).type(BlockType.Q8_0).proof(written -> ShippingCheck.between(before,
 *         ShippingCheck.ask(written, items, GenerationOptions.defaults())).require(2)).toGguf(file);
 * }</pre>
 *
 * @param before the model's answers
 * @param after those of what was written
 */
@Internal(shared = true)
public record ShippingCheck(Asked before, Asked after) {
    private static final double LOSS = 100;

    /**
     * What a model answered.
     *
     * @param facts the answers
     * @param likelihood how likely the references are to it; empty where the questions have none
     */
    public record Asked(FactReport facts, Optional<Perplexity> likelihood) {
        /** Refuses null. */
        public Asked {
            Objects.requireNonNull(facts, "facts");
            Objects.requireNonNull(likelihood, "likelihood");
        }

        /**
         * Refuses answers of which none can be lost.
         *
         * @return this
         * @throws ConfigurationException when no question was answered right
         */
        public Asked requireRight() {
            if (facts.correct() == 0) {
                throw new ConfigurationException("nothing is proved: the model answers none of the "
                        + Count.of(facts.outcomes().size(), "question") + " right before it is written; take "
                        + "questions that it answers, with the facts that a right answer holds");
            }
            return this;
        }
    }

    /** Compares the answers to the same questions. */
    public static ShippingCheck between(Asked before, Asked after) {
        return new ShippingCheck(before, after);
    }

    /** Asks a model. */
    public static Asked ask(LanguageModel model, List<EvaluationItem> items, GenerationOptions generation) {
        return new Asked(FactAccuracy.of(model).options(generation).on(items), ModelMeasures.of(model, items, true)
                .likelihood());
    }

    /** The outcomes after, of questions that were answered right before and are not any more. */
    public List<FactReport.Outcome> lost() {
        return changed(true);
    }

    /** The outcomes after, of questions that were not answered right before and are now. */
    public List<FactReport.Outcome> gained() {
        return changed(false);
    }

    private List<FactReport.Outcome> changed(boolean right) {
        List<FactReport.Outcome> now = after.facts().outcomes();
        return IntStream.range(0, now.size()).filter(i -> before.facts().outcomes().get(i).correct() == right
                && now.get(i).correct() != right).mapToObj(now::get).toList();
    }

    /** How many fewer questions are answered right, in points: percent of all questions. */
    public double loss() {
        return LOSS * (before.facts().share() - after.facts().share());
    }

    /**
     * Refuses what lost more than is accepted.
     *
     * @param most points
     * @return this
     * @throws ConfigurationException when it lost more; names the first question. Also when nothing could be lost, see
     *     {@link Asked#requireRight}
     */
    public ShippingCheck require(double most) {
        before.requireRight();
        if (loss() <= most) {
            return this;
        }
        FactReport.Outcome first = lost().get(0);
        throw new ConfigurationException("the tuning does not survive: " + this + ", and " + points(most)
                + " are accepted. Lost is for instance '" + first.question().question() + "', now answered '"
                + first.answer().strip()
                + "'. Ship the adapter beside its base, train on the very weights that will be served, or write a type "
                + "of more bits");
    }

    private static String points(double value) {
        return String.format(Locale.ROOT, "%.1f points", value);
    }

    /** {@code 78 of 88 (89 %) right before, 80 of 88 (91 %) after: 1 question lost, 3 gained; loss of a token ...}. */
    @Override
    public String toString() {
        String likelihood = before.likelihood().flatMap(ours -> after.likelihood().map(theirs -> String.format(
                Locale.ROOT, "; a reference's token has a loss of %.3f before, %.3f after", ours.loss(), theirs
                        .loss())))
                .orElse("");
        return before.facts() + " right before, " + after.facts() + " after (" + Count.of(lost().size(), "question")
                + " lost, " + gained().size() + " gained)" + likelihood;
    }
}
