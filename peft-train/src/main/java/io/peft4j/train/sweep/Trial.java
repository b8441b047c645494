package io.peft4j.train.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * One training of a sweep.
 *
 * @param number from 1
 * @param values what it was trained with, by option
 * @param state its state
 * @param loss the loss on the validation data of the adapter that it left, where it was measured
 * @param steps updates done
 * @param seconds time it took; of trials that ran side by side that of all together
 * @param message why it failed, where it did
 */
public record Trial(int number, Map<String, JsonNode> values, State state, OptionalDouble loss, long steps,
        double seconds, Optional<String> message) {
    /** The state of a trial. */
    public enum State {
        /** Chosen, and perhaps begun. */
        OPEN,
        /** Stopped for a while by successive halving. */
        PAUSED,
        /** Stopped for good by successive halving: others were better. */
        DROPPED,
        /** Trained to its end. */
        FINISHED,
        /** Failed. */
        FAILED
    }

    /** Copies the values in their order. */
    public Trial {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    static Trial open(int number, Map<String, JsonNode> values) {
        return new Trial(number, values, State.OPEN, OptionalDouble.empty(), 0, 0, Optional.empty());
    }

    /** The name of its folder. */
    public String name() {
        return String.format(java.util.Locale.ROOT, "trial-%03d", number);
    }

    Trial with(State other) {
        return new Trial(number, values, other, loss, steps, seconds, message);
    }

    Trial after(State other, double measured, long stepsDone, double more) {
        return new Trial(number, values, other, OptionalDouble.of(measured), stepsDone, seconds + more, message);
    }

    Trial failed(String why) {
        return new Trial(number, values, State.FAILED, OptionalDouble.empty(), steps, seconds, Optional.of(why));
    }
}
