package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.TokenSequence;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** What a model is held against while it learns preferences. */
public enum Reference {
    /** The base model without the adapter. */
    BASE,
    /** The model with the adapter as it is before the first update: for one that has been trained before. */
    START;

    /** The name on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The log-probability of each sequence's supervised tokens, in f32. */
    float[] logProbabilities(Passes passes, List<TokenSequence> sequences) {
        Function<Pass, double[]> work = Pass::sequenceNegativeLogLikelihoods;
        double[] nll = this == BASE ? passes.base(sequences, work) : passes.evaluation(sequences, work);
        float[] values = new float[nll.length];
        for (int i = 0; i < nll.length; i++) {
            values[i] = (float) -nll[i];
        }
        return values;
    }

    /** The reference of a name in lower case. */
    public static Reference named(String name) {
        return Arrays.stream(values()).filter(value -> value.toString().equals(name)).findFirst()
                .orElseThrow(() -> new ConfigurationException("unknown reference '" + name
                        + "'; use one of " + Arrays.toString(values())));
    }
}
