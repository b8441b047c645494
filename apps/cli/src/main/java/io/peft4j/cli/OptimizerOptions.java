package io.peft4j.cli;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.lora.LoraFa;
import io.peft4j.lora.LoraPlus;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How updates differ between the matrices of LoRA. */
@HelpGroup("Updates")
final class OptimizerOptions {
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

    /** How updates of an adapter's parameters differ. */
    UpdateRule rule(PeftModel tuned) {
        if (loraPlusRatio != null) {
            return new LoraPlus(loraPlusRatio);
        }
        return loraFa ? LoraFa.of(tuned) : UpdateRule.PLAIN;
    }
}
