package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import java.util.Arrays;
import java.util.Objects;
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
public record PromptTuningConfig(CommonConfig common, VirtualTokens virtualTokens, Initialization initialization,
        Optional<String> initText, Optional<String> tokenizer) implements PeftConfig {
    static final String PEFT_TYPE = "PROMPT_TUNING";

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
     * @throws ConfigurationException when the virtual tokens are to begin with a text and there is none
     */
    public PromptTuningConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(virtualTokens, "virtualTokens");
        PlacementJson.require(initialization != Initialization.TEXT || initText.isPresent(),
                "prompt_tuning_init is TEXT, so prompt_tuning_init_text must say which");
    }

    /** Virtual tokens that begin at random. */
    public static PromptTuningConfig of(int tokens) {
        return new PromptTuningConfig(CommonConfig.defaults(), VirtualTokens.of(tokens), Initialization.RANDOM,
                Optional.empty(), Optional.empty());
    }

    /** The same, beginning with tokens drawn from the vocabulary. */
    public PromptTuningConfig fromVocabulary() {
        return new PromptTuningConfig(common, virtualTokens, Initialization.SAMPLE_VOCAB, Optional.empty(), tokenizer);
    }

    /** The same, beginning with a text. */
    public PromptTuningConfig fromText(String text) {
        return new PromptTuningConfig(common, virtualTokens, Initialization.TEXT, Optional.of(text), tokenizer);
    }

    /** The same for a model. */
    PromptTuningConfig on(VirtualTokens sizes, String model) {
        return new PromptTuningConfig(common, sizes, initialization, initText,
                initialization == Initialization.TEXT && tokenizer.isEmpty() ? Optional.of(model) : tokenizer);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public PromptTuningConfig withCommon(CommonConfig other) {
        return new PromptTuningConfig(other, virtualTokens, initialization, initText, tokenizer);
    }

    static PromptTuningConfig read(ConfigReader reader) {
        VirtualTokens tokens = VirtualTokens.read(reader);
        String name = reader.text("prompt_tuning_init", "RANDOM");
        Initialization start = Arrays.stream(Initialization.values()).filter(value -> value.name().equals(name))
                .findFirst().orElseThrow(() -> new ConfigurationException(reader.source() + ": prompt_tuning_init is '"
                        + name + "'; it must be one of " + Arrays.toString(Initialization.values())));
        Optional<String> text = reader.optionalText("prompt_tuning_init_text");
        Optional<String> tokenizer = reader.optionalText("tokenizer_name_or_path");
        reader.ignore("tokenizer_kwargs");
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader, () -> new PromptTuningConfig(common, tokens, start, text, tokenizer));
    }

    @Override
    public String toJson() {
        return virtualTokens.write(new ConfigWriter(PEFT_TYPE, common))
                .put("prompt_tuning_init", initialization.name())
                .put("prompt_tuning_init_text", initText)
                .put("tokenizer_name_or_path", tokenizer)
                .putDefault("tokenizer_kwargs", "null")
                .toJson();
    }
}
