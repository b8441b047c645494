package io.peft4j.train;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.train.optimizer.AdamW;
import io.peft4j.train.optimizer.Optimizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * How a training learns, beside the numbers of {@link TrainingOptions}.
 *
 * @param optimizer how gradients become updates; default {@link AdamW#DEFAULT}
 * @param groups parameters with a learning rate or weight decay of their own; default none
 * @param neftuneAlpha noise on the embeddings of tokens in training (NEFTune, <a
 *     href="https://arxiv.org/abs/2310.05914">2310.05914</a>): to each value of a sequence of L tokens is added a
 *     number that is uniform between {@code -a} and {@code a}, {@code a = alpha / sqrt(L H)}; 5 is usual; default 0,
 *     none. Beginnings that sequences have in common are not shared then, since each has noise of its own
 * @param labelSmoothing share of the target that is spread over all tokens, as PyTorch's {@code label_smoothing}: the
 *     training loss is {@code (1 - e) nll + e mean over the vocabulary of -log p}. For next-token prediction;
 *     validation losses stay the plain negative log-likelihood; default 0
 */
public record LearningOptions(Optimizer optimizer, List<ParameterGroup> groups, double neftuneAlpha,
        double labelSmoothing) {
    /**
     * Checks the ranges.
     *
     * @throws ConfigurationException when a number is out of range
     */
    public LearningOptions {
        Objects.requireNonNull(optimizer, "optimizer");
        groups = List.copyOf(groups);
        if (!(neftuneAlpha >= 0 && Double.isFinite(neftuneAlpha))) {
            throw new ConfigurationException("the alpha of NEFTune is " + neftuneAlpha
                    + "; it must be 0 (no noise) or more");
        }
        if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
            throw new ConfigurationException("the label smoothing is " + labelSmoothing
                    + "; it must be from 0 (none) to below 1");
        }
    }

    /** AdamW for all parameters alike, without noise and smoothing. */
    public static LearningOptions defaults() {
        return new LearningOptions(AdamW.DEFAULT, List.of(), 0, 0);
    }

    /** Those that decide the course of a training, by name; what is left at its default is not named. */
    Map<String, String> deciding() {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("optimizer", optimizer.toString());
        if (!groups.isEmpty()) {
            values.put("parameter_groups", groups.toString());
        }
        if (neftuneAlpha > 0) {
            values.put("neftune_alpha", String.valueOf(neftuneAlpha));
        }
        if (labelSmoothing > 0) {
            values.put("label_smoothing", String.valueOf(labelSmoothing));
        }
        return values;
    }

    /**
     * Checks that each group has a parameter.
     *
     * @throws ConfigurationException when one has none
     */
    void requireMatches(List<Parameter> parameters) {
        List<String> names = parameters.stream().map(Parameter::name).toList();
        for (ParameterGroup group : groups) {
            if (names.stream().noneMatch(group::holds)) {
                throw new ConfigurationException("the parameter group '" + group.pattern() + "' fits none of the "
                        + names.size() + " trained parameters; " + SimilarNames.sentence(group.pattern(), names));
            }
        }
    }

    /** What the learning rate of a parameter is multiplied by. */
    double rateFactor(Parameter parameter, double learningRate) {
        return group(parameter).map(group -> group.learningRate().orElse(learningRate) / learningRate).orElse(1.0);
    }

    /** The weight decay of a parameter. */
    double weightDecay(Parameter parameter, double weightDecay) {
        return group(parameter).map(group -> group.weightDecay().orElse(weightDecay)).orElse(weightDecay);
    }

    private Optional<ParameterGroup> group(Parameter parameter) {
        return groups.stream().filter(group -> group.holds(parameter.name())).findFirst();
    }
}
