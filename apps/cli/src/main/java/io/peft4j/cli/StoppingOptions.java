package io.peft4j.cli;

import io.peft4j.train.TrainingOptions;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Option;

/** When a training measures and ends, and which adapter it leaves. */
@HelpGroup("End of the training")
final class StoppingOptions {
    @Option(names = "--max-steps", paramLabel = "N", defaultValue = "0",
            description = "Updates in all, instead of those that --epochs make up; the most where the learned rows "
                    + "decide.")
    private long maxSteps;

    @Option(names = "--learned-share", paramLabel = "X", description = "Ends the training when this share of the rows "
            + "is learned, or nothing improves; --epochs, --max-steps and --time-budget are then the most it takes. 0: "
            + "never. Default: 0.8 with --epochs auto (0.97 for classes), else 0")
    private Double learnedShare;

    @Option(names = "--eval-steps", paramLabel = "N", defaultValue = "0",
            description = "Updates between two measurements on the validation data. Default: one an epoch")
    private long evaluateEverySteps;

    @Option(names = "--early-stopping-patience", paramLabel = "N", defaultValue = "0", description = "Ends the "
            + "training when N measurements in a row are not better, and keeps the best adapter. Default: never")
    private int patience;

    @Option(names = "--early-stopping-threshold", paramLabel = "X", defaultValue = "0",
            description = "By how much a loss must fall to count as better. Default: 0")
    private double threshold;

    @Option(names = "--keep-best",
            description = "Keeps the adapter of the lowest validation loss, rather than the last one.")
    private boolean keepBest;

    @Option(names = "--time-budget", paramLabel = "SECONDS", description = "Stops and saves after this time.")
    private Double timeBudget;

    void addTo(TrainingOptions.Builder options) {
        options.maxSteps(maxSteps).evaluateEverySteps(evaluateEverySteps).earlyStopping(patience, threshold)
                .keepBest(keepBest || patience > 0);
        Optional.ofNullable(learnedShare).ifPresent(options::learnedShare);
        Optional.ofNullable(timeBudget).ifPresent(
                seconds -> options.timeBudget(Duration.ofNanos((long) (seconds * 1e9))));
    }
}
