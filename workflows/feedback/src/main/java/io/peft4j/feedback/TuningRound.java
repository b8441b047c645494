package io.peft4j.feedback;

import io.peft4j.core.error.Count;
import io.peft4j.eval.report.ComparisonReport;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a round of tuning came to.
 *
 * @param outcome what was done
 * @param learned examples that were learned, feedback alone
 * @param heldOut questions that both adapters were asked, the golden ones included
 * @param comparison the present adapter against the new one, where one was trained
 * @param lost golden questions that the present adapter answers right and the new one does not
 * @param version the folder of the adapter that answers now
 */
public record TuningRound(Outcome outcome, int learned, int heldOut, Optional<ComparisonReport> comparison,
        List<String> lost, Path version) {
    /** What was done. */
    public enum Outcome {
        /** The new adapter is better by the paired test, lost no golden question, and answers now. */
        SWAPPED,
        /** The new adapter was tested and is not better; the present one stays. */
        KEPT,
        /** There is not enough feedback yet that the last round has not seen; nothing was trained. */
        WAITING,
        /** It was stopped, or an earlier version was restored meanwhile. */
        STOPPED
    }

    /** Copies the list. */
    public TuningRound {
        lost = List.copyOf(lost);
    }

    /** In one line. */
    @Override
    public String toString() {
        return switch (outcome) {
            case WAITING -> "waiting: " + Count.of(learned, "example") + " to learn, " + heldOut + " to test with; too "
                    + "few of them are new";
            case STOPPED -> "stopped";
            case KEPT -> "kept the present adapter: " + (lost.isEmpty() ? verdict() : "the new one has lost the golden "
                    + "questions " + lost);
            case SWAPPED -> "swapped to " + version.getFileName() + ": " + verdict();
        };
    }

    private String verdict() {
        return comparison.map(report -> report.verdict().inOneLine()).orElse("");
    }
}
