package io.peft4j.train;

import io.peft4j.core.error.Count;
import java.time.Duration;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * What a training is going to take, see {@link Trainer#estimate(io.peft4j.data.ChatDataset)}. Sizes and counts are
 * exact, time and memory are foreseen from some updates on this machine.
 *
 * @param trainableParameters number of trainable parameters
 * @param adapterBytes size of the weight files that will be written ({@code adapter_model.safetensors}), exactly
 * @param tokens tokens of the examples of all updates: each epoch counts
 * @param updates number of updates
 * @param seconds what {@link TrainingResult#seconds} will say: from the first update on, loading the model not counted
 * @param peakResidentBytes the most memory this process will have resident when the training runs in it; empty where
 *     the system does not tell
 * @param probeSeconds how long it took to find out
 * @param askingSeconds what the base takes before the first update to answer the prompts whose answers are kept
 *     ({@link TrainerBuilder#keeping}); 0 where none are
 * @param chosen which numbers of the training rules have chosen, and why, in one line; empty where all were given
 * @param fewestUpdates about the fewest updates, where the training ends when it has learned; all else is for the most
 */
public record TrainingEstimate(long trainableParameters, long adapterBytes, long tokens, long updates, double seconds,
        OptionalLong peakResidentBytes, double probeSeconds, double askingSeconds, String chosen,
        long fewestUpdates) {
    /** As long as a probe takes as a rule, unless single updates take longer. */
    public static final Duration PROBE = Duration.ofSeconds(6);
    private static final double MB = 1e6;

    /**
     * What the JVM takes more in the course of a training than at its beginning, as it was measured: its compiler some
     * 35 MB in the first 20 s, and its heap for the pages of the training some 30 kB an update, up to 5,000.
     */
    public static long laterBytes(double seconds, long updates) {
        return (long) (35 * MB * Math.min(1, seconds / 20) + 0.03 * MB * Math.min(updates, 5_000));
    }

    /** Megabytes (10^6 bytes) of the adapter. */
    public double adapterMegabytes() {
        return adapterBytes / MB;
    }

    /** The same where the base is asked before. */
    TrainingEstimate withAskingSeconds(double value) {
        return new TrainingEstimate(trainableParameters, adapterBytes, tokens, updates, seconds, peakResidentBytes,
                probeSeconds + value, value, chosen, fewestUpdates);
    }

    /** About the least time that the training takes. */
    public double fewestSeconds() {
        return seconds * fewestUpdates / updates;
    }

    /** Whether the training ends when it has learned, so that its time is a range. */
    public boolean isRange() {
        return fewestUpdates < updates;
    }

    /** Tokens of the examples a second. */
    public double tokensPerSecond() {
        return tokens / seconds;
    }

    /** One line with all figures. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s, adapter of %.1f MB, %s in %s%s, about %s%.0f s, peak memory %s",
                Count.of(trainableParameters, "trainable parameter"), adapterMegabytes(),
                Count.of(tokens, "token"), isRange() ? fewestUpdates + " to " : "", Count.of(updates, "update"),
                isRange() ? Math.round(fewestSeconds()) + " to " : "", seconds,
                peakResidentBytes.isEmpty() ? "unknown" : String.format(Locale.ROOT, "about %,.0f MB",
                        peakResidentBytes.getAsLong() / MB));
    }
}
