package io.peft4j.cli;

import io.peft4j.train.objective.DpoOptions;
import io.peft4j.train.objective.KtoOptions;
import io.peft4j.train.objective.Reference;
import io.peft4j.train.objective.SimpoObjective;
import picocli.CommandLine.Option;

/** The options of objectives that learn preferences. */
@HelpGroup(HelpGroup.OBJECTIVE)
final class PreferenceOptions {
    @Option(names = "--beta", paramLabel = "B", description = "dpo, kto: how firmly the model is held to the "
            + "reference; simpo: the scale of rewards; orpo: the weight of preferences. Default: 0.1")
    private Double beta;

    @Option(names = "--gamma", paramLabel = "G", description = "simpo: by how much rewards are to differ. "
            + "Default: 0.5")
    private Double gamma;

    @Option(names = "--loss", paramLabel = "sigmoid|ipo|robust", defaultValue = "sigmoid",
            description = "dpo: the form of the loss. Default: ${DEFAULT-VALUE}")
    private String loss;

    @Option(names = "--reference", paramLabel = "base|start", defaultValue = "base", description = "dpo, kto: what the "
            + "model is held against: the base, or the base with the adapter as it begins. Default: ${DEFAULT-VALUE}")
    private String reference;

    @Option(names = "--desirable-weight", paramLabel = "W", defaultValue = "1",
            description = "kto: the weight of good answers. Default: ${DEFAULT-VALUE}")
    private double desirableWeight;

    @Option(names = "--undesirable-weight", paramLabel = "W", defaultValue = "1",
            description = "kto: the weight of bad answers. Default: ${DEFAULT-VALUE}")
    private double undesirableWeight;

    double beta(double usual) {
        return beta == null ? usual : beta;
    }

    double gamma() {
        return gamma == null ? SimpoObjective.GAMMA : gamma;
    }

    DpoOptions dpo() {
        return new DpoOptions(beta(DpoOptions.defaults().beta()), DpoOptions.Loss.named(loss), 0,
                Reference.named(reference));
    }

    KtoOptions kto() {
        return new KtoOptions(beta(KtoOptions.defaults().beta()), desirableWeight, undesirableWeight,
                Reference.named(reference));
    }
}
