package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import java.util.OptionalDouble;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Parameters that are trained with a learning rate or a weight decay of their own.
 *
 * @param pattern a regular expression that is found in the names of the parameters, such as {@code lora_B} or
 *     {@code layers\.(28|29)\.}; of several groups the first that fits counts
 * @param learningRate the highest learning rate, where not the training's; 0 leaves the parameters as they are
 * @param weightDecay the weight decay, where not the training's
 */
public record ParameterGroup(String pattern, OptionalDouble learningRate, OptionalDouble weightDecay) {
    private static final String RATE = "learning-rate";
    private static final String DECAY = "weight-decay";

    /**
     * Checks the values.
     *
     * @throws ConfigurationException when the pattern is none, a number is out of range, or neither is given
     */
    public ParameterGroup {
        try {
            Pattern.compile(pattern);
        } catch (PatternSyntaxException e) {
            throw new ConfigurationException("the pattern of a parameter group, '" + pattern
                    + "', is no regular expression: " + e.getDescription(), e);
        }
        requireRange(pattern, RATE, learningRate);
        requireRange(pattern, DECAY, weightDecay);
        if (learningRate.isEmpty() && weightDecay.isEmpty()) {
            throw new ConfigurationException("the parameter group '" + pattern + "' has neither a " + RATE + " nor a "
                    + DECAY + " of its own");
        }
    }

    private static void requireRange(String pattern, String name, OptionalDouble value) {
        if (value.isPresent() && !(value.getAsDouble() >= 0 && value.getAsDouble() <= 1)) {
            throw new ConfigurationException("the " + name + " of the parameter group '" + pattern + "' is "
                    + value.getAsDouble() + "; it must be from 0 to 1");
        }
    }

    /**
     * Reads {@code PATTERN:learning-rate=X,weight-decay=Y}, one of the two or both.
     *
     * @throws ConfigurationException when it is written in another way
     */
    public static ParameterGroup of(String text) {
        int colon = text.lastIndexOf(':');
        OptionalDouble rate = OptionalDouble.empty();
        OptionalDouble decay = OptionalDouble.empty();
        for (String part : (colon < 0 ? "" : text.substring(colon + 1)).split(",")) {
            String[] words = part.strip().split("=", 2);
            if (words[0].equals(RATE) && words.length == 2) {
                rate = number(text, words[1]);
            } else if (words[0].equals(DECAY) && words.length == 2) {
                decay = number(text, words[1]);
            } else {
                throw new ConfigurationException("cannot read the parameter group '" + text + "'; write PATTERN:" + RATE
                        + "=X," + DECAY + "=Y");
            }
        }
        return new ParameterGroup(text.substring(0, colon), rate, decay);
    }

    private static OptionalDouble number(String text, String value) {
        try {
            return OptionalDouble.of(Double.parseDouble(value));
        } catch (NumberFormatException e) {
            throw new ConfigurationException("the parameter group '" + text + "' has the value '" + value
                    + "', which is no number", e);
        }
    }

    /** Whether a parameter of this name belongs to it. */
    public boolean holds(String parameter) {
        return Pattern.compile(pattern).matcher(parameter).find();
    }
}
