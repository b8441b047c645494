package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.train.plan.Prices;
import java.util.Locale;
import java.util.OptionalDouble;
import picocli.CommandLine.Option;

/** What training costs here and elsewhere, from prices that the user knows. */
@HelpGroup("Costs")
final class PriceOptions {
    @Option(names = "--machine-hour-price", paramLabel = "X",
            description = "Price of an hour of this machine, in any currency: shows what the training costs.")
    private Double machineHour;

    @Option(names = "--million-tokens-price", paramLabel = "X", description = "Price of a million trained tokens at a "
            + "hosted service: shows what the same training costs there.")
    private Double millionTokens;

    Prices prices() {
        return new Prices(optional(machineHour), optional(millionTokens));
    }

    private static OptionalDouble optional(Double value) {
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }

    /** Both costs in words; empty where no price is known. */
    String text(double seconds, long tokens) {
        String machine = text("on this machine", prices().ofMachine(seconds));
        String service = text("at the hosted service", prices().ofService(tokens));
        return machine + (machine.isEmpty() || service.isEmpty() ? "" : ", ") + service;
    }

    private static String text(String where, OptionalDouble cost) {
        return cost.isEmpty() ? "" : String.format(Locale.ROOT, "%.4g %s", cost.getAsDouble(), where);
    }

    /** Puts both costs, as far as their prices are known. */
    void put(ObjectNode line, double seconds, long tokens) {
        prices().ofMachine(seconds).ifPresent(cost -> line.put("cost_machine", cost));
        prices().ofService(tokens).ifPresent(cost -> line.put("cost_service", cost));
    }
}
