package io.peft4j.cli;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.lora.LoraFa;
import io.peft4j.lora.LoraPlus;
import io.peft4j.train.ParameterGroup;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.optimizer.Optimizer;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How gradients become updates: the optimizer, what differs by parameter, and noise and smoothing. */
@HelpGroup("Updates")
final class OptimizerOptions {
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

    @Option(names = "--loraplus-ratio", paramLabel = "X",
            description = "LoRA+: trains B with X times the learning rate of A; 16 is usual.")
    private Double loraPlusRatio;

    @Option(names = "--lora-fa", description = "LoRA-FA: freezes A and trains only B.")
    private boolean loraFa;

    /**
     * Checks those that exclude each other.
     *
     * @param command is called wrongly otherwise
     */
    void check(PeftCommand command) {
        if (loraFa && loraPlusRatio != null) {
            throw command.usage("--loraplus-ratio and --lora-fa are mutually exclusive: with --lora-fa only B is "
                    + "trained");
        }
        Optional.ofNullable(loraPlusRatio).ifPresent(ratio -> command.fromOptions(() -> new LoraPlus(ratio)));
    }

    void addTo(TrainingOptions.Builder options) {
        options.optimizer(Optimizer.named(optimizer)).neftuneAlpha(neftuneAlpha).labelSmoothing(labelSmoothing);
        groups.forEach(group -> options.parameterGroup(ParameterGroup.of(group)));
    }

    /** How updates of an adapter's parameters differ. */
    UpdateRule rule(PeftModel tuned) {
        if (loraPlusRatio != null) {
            return new LoraPlus(loraPlusRatio);
        }
        return loraFa ? LoraFa.of(tuned) : UpdateRule.PLAIN;
    }

    /** In a few words. */
    String describe() {
        return optimizer + (groups.isEmpty() ? "" : " with " + groups.size() + " parameter groups")
                + (neftuneAlpha > 0 ? ", NEFTune " + neftuneAlpha : "")
                + (labelSmoothing > 0 ? ", label smoothing " + labelSmoothing : "");
    }
}
