package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.UnusedKey;
import java.util.Optional;

/**
 * Prompt tuning (<a href="https://arxiv.org/abs/2104.08691">2104.08691</a>): virtual tokens before every sequence,
 * whose embeddings [tokens, H] are trained: {@code tokens * H} parameters. The sequence's positions begin behind them.
 *
 * @param common what every configuration holds
 * @param virtualTokens how many, and the model's sizes
 * @param initialization {@code prompt_tuning_init}: how the embeddings begin; default {@link Initialization#RANDOM}
 * @param initText {@code prompt_tuning_init_text}: the text that they begin with, where it is
 *     {@link Initialization#TEXT}; repeated or cut to their number
 * @param tokenizer {@code tokenizer_name_or_path}: whose tokenizer Hugging Face PEFT takes for the text; here it is the
 *     base model's, whose name is filled in
 */
@PeftType(value = "PROMPT_TUNING", name = "prompt-tuning",
        description = "a soft prompt of virtual tokens",
        paper = "https://arxiv.org/abs/2104.08691", autoRateFactor = 30)
@UnusedKey("tokenizer_kwargs")
public record PromptTuningConfig(CommonConfig common, @Group VirtualTokens virtualTokens,
        @Key(value = "prompt_tuning_init", fallback = "\"RANDOM\"") Initialization initialization,
        @Key("prompt_tuning_init_text") Optional<String> initText,
        @Key("tokenizer_name_or_path") Optional<String> tokenizer) implements PeftConfig {
    /** How the virtual tokens of a new adapter begin. */
    public enum Initialization {
        /** Normal with standard deviation 1, as PyTorch begins an embedding. */
        RANDOM,
        /** The embeddings of tokens that are drawn from the vocabulary. */
        SAMPLE_VOCAB,
        /** The embeddings of a text's tokens. */
        TEXT
    }

    /**
     * Checks the combination.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the virtual tokens are to begin with a text and there is
     *     none
     */
    public PromptTuningConfig {
        Checks.require(initialization != Initialization.TEXT || initText.isPresent(),
                "prompt_tuning_init is TEXT, so prompt_tuning_init_text must be set");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static Builder builder() {
        return ConfigBuilder.of(Builder.class, PromptTuningConfig.class);
    }

    /** A builder with the values of this configuration. */
    public Builder toBuilder() {
        return ConfigBuilder.from(Builder.class, this);
    }

    /** Builds a {@link PromptTuningConfig}, which says what each value means. */
    public interface Builder extends VirtualTokens.Builder<PromptTuningConfig, Builder> {
        /** How the embeddings begin; default {@link Initialization#RANDOM}. */
        Builder initialization(Initialization value);

        /** The text that they begin with; default none. */
        Builder initText(Optional<String> value);

        /** The embeddings begin with those of a text. */
        default Builder initText(String text) {
            return initialization(Initialization.TEXT).initText(Optional.of(text));
        }

        /** Whose tokenizer Hugging Face PEFT takes for the text; default the base model. */
        Builder tokenizer(Optional<String> value);
    }
}
