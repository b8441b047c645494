package io.peft4j.spring;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.models.PeftAdapters;
import java.util.Objects;

/**
 * Typed questions about a text, answered with probabilities by the model of the application and its adapters.
 * LangChain4j's decision model is made of {@link PeftAdapters#model()}.
 *
 * <pre>{@code
 * DecisionAnswer answer = decisions.model("tickets").decide("I was charged twice", question);
 * }</pre>
 */
public final class PeftDecisions {
    private final PeftAdapters adapters;
    private final PeftProperties.Decisions properties;

    /** Answers by these models. */
    public PeftDecisions(PeftAdapters adapters, PeftProperties.Decisions properties) {
        this.adapters = Objects.requireNonNull(adapters, "adapters");
        this.properties = Objects.requireNonNull(properties, "properties");
    }

    /**
     * What answers if none is chosen. An adapter that changes later answers with what it is then in the next model.
     *
     * @throws io.peft4j.core.error.ConfigurationException as {@link PeftAdapters#model()}, and where the model has
     *     neither a head for options nor a chat template
     */
    public DecisionModel model() {
        return of(adapters.model());
    }

    /**
     * What answers with an adapter.
     *
     * @param adapter its name, or {@code __base__}
     * @throws io.peft4j.core.error.ConfigurationException as the other
     */
    public DecisionModel model(String adapter) {
        return of(adapters.model(adapter));
    }

    private DecisionModel of(LanguageModel model) {
        DecisionModel answering = new DecisionModel(model).withRotations(properties.rotations());
        return properties.maxError() == 0 ? answering : answering.refusingBeyond(properties.maxError());
    }
}
