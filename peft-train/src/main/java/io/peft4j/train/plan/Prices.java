package io.peft4j.train.plan;

import io.peft4j.core.error.ConfigurationException;
import java.util.OptionalDouble;

/**
 * What training costs, in any one currency; what is not known is left out.
 *
 * @param machineHour an hour of this machine
 * @param millionTokens a million trained tokens at a hosted service, which counts each epoch
 */
public record Prices(OptionalDouble machineHour, OptionalDouble millionTokens) {
    /** No price is known. */
    public static final Prices UNKNOWN = new Prices(OptionalDouble.empty(), OptionalDouble.empty());
    private static final double HOUR = 3600;
    private static final double MILLION = 1e6;

    /**
     * Checks that prices are not negative.
     *
     * @throws ConfigurationException when one is
     */
    public Prices {
        check("an hour of the machine", machineHour);
        check("a million tokens", millionTokens);
    }

    private static void check(String what, OptionalDouble price) {
        if (price.isPresent() && !(price.getAsDouble() >= 0 && Double.isFinite(price.getAsDouble()))) {
            throw new ConfigurationException("the price of " + what + " is " + price.getAsDouble()
                    + "; it must be 0 or more");
        }
    }

    /** The cost of a time on this machine. */
    public OptionalDouble ofMachine(double seconds) {
        return machineHour.isPresent() ? OptionalDouble.of(machineHour.getAsDouble() * seconds / HOUR)
                : OptionalDouble.empty();
    }

    /** The cost of so many tokens at the hosted service. */
    public OptionalDouble ofService(long tokens) {
        return millionTokens.isPresent() ? OptionalDouble.of(millionTokens.getAsDouble() * tokens / MILLION)
                : OptionalDouble.empty();
    }
}
