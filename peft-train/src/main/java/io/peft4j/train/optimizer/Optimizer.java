package io.peft4j.train.optimizer;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How gradients become changes of parameters. Learning rate, weight decay and clipping are the training's; what an
 * optimizer keeps of a parameter is in its {@link ParameterUpdate}. {@link Object#toString} tells one from another, so
 * that a training is resumed with the same: a record does so already.
 *
 * <p>One of your own is a record that implements this, with a class that implements {@link ParameterUpdate}.
 */
public interface Optimizer {
    /** The updates of one parameter, which begin with nothing seen. */
    @Internal
    ParameterUpdate of(Parameter parameter);

    /** What an automatic learning rate, which is for AdamW, is multiplied by; default 1. */
    default double autoRateFactor() {
        return 1;
    }

    /** The ones with names, each with its defaults, by the names that the command line has. */
    static Map<String, Optimizer> all() {
        Map<String, Optimizer> all = new LinkedHashMap<>();
        all.put("adamw", AdamW.DEFAULT);
        all.put("adamw-8bit", AdamW.EIGHT_BIT);
        all.put("sgd", Sgd.DEFAULT);
        all.put("lion", Lion.DEFAULT);
        all.put("adafactor", Adafactor.DEFAULT);
        return all;
    }

    /**
     * The optimizer of a name such as {@code adamw}, with its defaults.
     *
     * @throws ConfigurationException when there is none
     */
    static Optimizer named(String name) {
        Map<String, Optimizer> all = all();
        if (!all.containsKey(name)) {
            throw new ConfigurationException("unknown optimizer '" + name + "'; use one of "
                    + all.keySet());
        }
        return all.get(name);
    }
}
