package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.KeyFormat;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.UnusedKey;
import java.util.Collections;
import java.util.List;

/**
 * Context-aware prompt tuning (<a href="https://arxiv.org/abs/2410.17222">2410.17222</a>): the embeddings of an
 * example's tokens before every sequence, [tokens, H], which are trained within a small distance of where they begin:
 * its norm is at most {@code epsilon * sqrt(H / 2048)}. Tokens of type 1 and 3 (modulo 4) are the form of the
 * example, of type 2 its text; others, as of type 4, its answers, are not trained. {@code tokens * H} parameters.
 *
 * <p>Next-token prediction learns the example's answers, too, once for each row: its loss is the mean over the
 * supervised tokens of a batch's rows, with weight 1, and the tokens of types above 0 that 4 divides, with weight 1, or
 * with {@link Weighting#DECAY} {@code factor^n} for the n-th such type counted from the largest. Hugging Face PEFT
 * learns no rows where 4 does not divide the largest type. Other objectives, and evaluation, are of the rows.
 *
 * @param common what every configuration holds
 * @param virtualTokens how many, and the model's sizes
 * @param tokenIds {@code cpt_token_ids}: the tokens of the example; default token 0
 * @param types {@code cpt_tokens_type_mask}: their types; default 1 for each
 * @param mask {@code cpt_mask}: 1 for each; others are refused, as Hugging Face PEFT does not look at them
 * @param epsilon {@code opt_projection_epsilon}: of tokens of type 2; default 0.1
 * @param formatEpsilon {@code opt_projection_format_epsilon}: of tokens of type 1 and 3; default 0.1
 * @param weighting {@code opt_weighted_loss_type}: how the answers of the example count; default
 *     {@link Weighting#NONE}
 * @param decayFactor {@code opt_loss_decay_factor}: the factor; default 1
 */
@PeftType(value = "CPT", name = "cpt",
        description = "a soft prompt initialized from an example, projected onto a ball around it",
        paper = "https://arxiv.org/abs/2410.17222", autoRateFactor = 10)
@UnusedKey(value = "tokenizer_name_or_path")
public record CptConfig(CommonConfig common, @Group VirtualTokens virtualTokens,
        @Key(value = "cpt_token_ids", fallback = "[0]") List<Integer> tokenIds,
        @Key(value = "cpt_tokens_type_mask") List<Integer> types,
        @Key(value = "cpt_mask") List<Integer> mask,
        @Key(value = "opt_projection_epsilon", fallback = "0.1") double epsilon,
        @Key(value = "opt_projection_format_epsilon", fallback = "0.1") double formatEpsilon,
        @Key(value = "opt_weighted_loss_type", fallback = "\"none\"") Weighting weighting,
        @Key(value = "opt_loss_decay_factor", fallback = "1.0") double decayFactor)
        implements
            PeftConfig {
    /** How the answers of the example count in the loss. */
    public enum Weighting {
        /** As the rows. */
        @KeyFormat.Named("\"none\"")
        NONE,
        /** The less the further they are from the rows. */
        @KeyFormat.Named("\"decay\"")
        DECAY
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when lists differ in length, or a value is out of range
     */
    public CptConfig {
        tokenIds = List.copyOf(tokenIds);
        types = types.isEmpty() ? Collections.nCopies(tokenIds.size(), 1) : List.copyOf(types);
        mask = mask.isEmpty() ? Collections.nCopies(tokenIds.size(), 1) : List.copyOf(mask);
        Checks.require(!tokenIds.isEmpty() && types.size() == tokenIds.size() && mask.size() == tokenIds.size(),
                "cpt_token_ids, cpt_tokens_type_mask and cpt_mask have " + tokenIds.size() + ", " + types.size()
                        + " and "
                        + mask.size() + " elements; they must be as many");
        Checks.require(mask.stream().allMatch(each -> each == 1), "cpt_mask must be 1 for each token");
        Checks.require(epsilon >= 0 && formatEpsilon >= 0,
                "opt_projection_epsilon and opt_projection_format_epsilon must "
                        + "not be negative");
        Checks.finite("opt_loss_decay_factor", decayFactor);
        virtualTokens = new VirtualTokens(tokenIds.size(), virtualTokens.tokenDim(), virtualTokens.layers(),
                virtualTokens.attentionHeads(), virtualTokens.submodules());
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static CptConfigBuilder builder() {
        return ConfigBuilder.of(CptConfigBuilder.class, CptConfig.class);
    }

    /** A builder with the values of this configuration. */
    public CptConfigBuilder toBuilder() {
        return ConfigBuilder.from(CptConfigBuilder.class, this);
    }
}
