package io.peft4j.cli;

import io.peft4j.train.objective.Keeping;
import io.peft4j.train.objective.KeepingOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What a training keeps of what the base model says. */
@HelpGroup(HelpGroup.TRAINING)
final class KeepOptions {
    private static final String GENERAL = "general";
    private static final KeepingOptions USUAL = KeepingOptions.defaults();

    @Option(names = "--keep", paramLabel = "general|FILE",
            description = "Has the base answer general prompts, or those "
                    + "of a file, and penalizes each update for what changes along its answers.")
    private String keep;

    @Option(names = "--keep-by", paramLabel = "divergence|answers", defaultValue = "divergence",
            description = "What is minimized along kept answers: the divergence from the base, or their likelihood as "
                    + "if they were rows. Default: ${DEFAULT-VALUE}")
    private String by;

    @Option(names = "--keep-share", paramLabel = "X",
            description = "Kept answers for each example of a batch. Default: 0.25")
    private Double share;

    @Option(names = "--keep-weight", paramLabel = "X", description = "What kept answers count beside the examples. "
            + "Default: 0.3")
    private Double weight;

    /** Checks the options, before anything is read. */
    void check(PeftCommand line) {
        line.requireWith("--keep", List.of("--keep-by", "--keep-share", "--keep-weight"));
        if (!List.of("divergence", "answers").contains(by)) {
            throw line.usage("--keep-by is '" + by + "'; it must be divergence or answers");
        }
        line.fromOptions(this::options);
    }

    private KeepingOptions options() {
        return new KeepingOptions(Optional.ofNullable(share).orElse(USUAL.share()), Optional.ofNullable(weight)
                .orElse(USUAL.weight()), KeepingOptions.By.valueOf(by.toUpperCase(Locale.ROOT)), USUAL.mostTokens());
    }

    /** What is kept, if anything is. */
    Optional<Keeping> keeping(DataInput input) {
        return Optional.ofNullable(keep).map(what -> what.equals(GENERAL) ? Keeping.general(options())
                : Keeping.ofPrompts(input.file(Path.of(what)), options()));
    }
}
