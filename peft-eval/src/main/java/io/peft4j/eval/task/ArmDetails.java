package io.peft4j.eval.task;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What else was measured of one arm, each where the items or the model allow it.
 *
 * @param refusalRate the share of answers that refuse to help
 * @param cut how many answers were cut at the limit of new tokens, where a model was asked
 * @param classes the classes that the answers name, against the labels
 * @param wordings whether other wordings of a question get the same fact
 * @param draws whether the same question gets the same answer each time it is asked with draws
 * @param likelihood how likely the references are to the model
 * @param choices what the model chooses among given answers
 * @param labelAuc area under the ROC curve of the labels' likelihoods, of several labels the mean of each against the
 *     others
 */
public record ArmDetails(double refusalRate, OptionalInt cut, Optional<Classification> classes,
        Optional<Consistency> wordings, Optional<Consistency> draws, Optional<Perplexity> likelihood,
        Optional<MultipleChoice.Result> choices, OptionalDouble labelAuc) {
    /** Refuses null. */
    public ArmDetails {
        Objects.requireNonNull(cut, "cut");
        Objects.requireNonNull(classes, "classes");
        Objects.requireNonNull(wordings, "wordings");
        Objects.requireNonNull(draws, "draws");
        Objects.requireNonNull(likelihood, "likelihood");
        Objects.requireNonNull(choices, "choices");
        Objects.requireNonNull(labelAuc, "labelAuc");
    }

    /** The same with what a model was asked beside its answers. */
    public ArmDetails with(ModelMeasures measures) {
        return new ArmDetails(refusalRate, measures.cut(), classes, wordings, measures.draws(),
                measures.likelihood(), measures.choices(), measures.labelAuc());
    }
}
