package io.peft4j.cli;

import io.peft4j.train.LearningOptions;
import io.peft4j.train.ParameterGroup;
import io.peft4j.train.optimizer.Optimizer;
import java.util.List;
import picocli.CommandLine.Option;

/** How gradients become updates, and what makes learning harder on purpose. */
@HelpGroup("Updates")
final class UpdateOptions {
    @Option(names = "--optimizer", paramLabel = "NAME", defaultValue = "adamw",
            description = "adamw, adamw-8bit (its moments in 8 bits), sgd (momentum 0.9), lion or adafactor. "
                    + "Default: ${DEFAULT-VALUE}")
    private String optimizer;

    @Option(names = "--parameter-group", paramLabel = "PATTERN:learning-rate=X,weight-decay=Y",
            description = "A learning rate, a weight decay or both for the parameters whose names the regular "
                    + "expression is found in; may be given repeatedly, the first that fits counts.")
    private List<String> groups = List.of();

    @Option(names = "--neftune-alpha", paramLabel = "X", defaultValue = "0",
            description = "NEFTune: noise on the embeddings of tokens; 5 is usual. Default: none")
    private double neftuneAlpha;

    @Option(names = "--label-smoothing", paramLabel = "X", defaultValue = "0",
            description = "sft: share of the target that is spread over all tokens; dpo, simpo: share of the pairs "
                    + "that is taken to be the wrong way round. Default: none")
    private double labelSmoothing;

    /** The values. */
    LearningOptions learning() {
        return new LearningOptions(Optimizer.named(optimizer), groups.stream().map(ParameterGroup::of).toList(),
                neftuneAlpha, labelSmoothing);
    }

    /** In a few words. */
    String describe() {
        return optimizer + (groups.isEmpty() ? "" : " with " + groups.size() + " parameter groups")
                + (neftuneAlpha > 0 ? ", NEFTune " + neftuneAlpha : "")
                + (labelSmoothing > 0 ? ", label smoothing " + labelSmoothing : "");
    }
}
