package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.UnusedKey;

/**
 * Multitask prompt tuning (<a href="https://arxiv.org/abs/2303.02861">2303.02861</a>): embeddings of virtual tokens
 * before every sequence, {@code P * (C R)}, P [tokens, H] shared by tasks, C [tokens, rank] and R [rank, H] those of
 * a task, * element by element. {@code tokens * H + rank * (tokens + H)} parameters.
 *
 * <p>An adapter is for one task, as where a shared prompt is adapted to a new task. One of Hugging Face PEFT for
 * several tasks, whose rows need a number of their task, is refused.
 *
 * @param common what every configuration holds
 * @param virtualTokens how many, and the model's sizes
 * @param rank {@code num_ranks}: the rank of C R; default 1
 * @param tasks {@code num_tasks}: 1
 */
@PeftType(value = "MULTITASK_PROMPT_TUNING", autoRateFactor = 30)
@UnusedKey(value = "prompt_tuning_init", fallback = "\"RANDOM\"", because = "new adapters begin at random")
@UnusedKey(value = "prompt_tuning_init_state_dict_path")
@UnusedKey(value = "prompt_tuning_init_task", fallback = "0")
@UnusedKey(value = "prompt_tuning_init_text")
@UnusedKey(value = "tokenizer_name_or_path")
@UnusedKey(value = "tokenizer_kwargs")
public record MultitaskPromptConfig(CommonConfig common, @Group VirtualTokens virtualTokens,
        @Key(value = "num_ranks", fallback = "1") int rank,
        @Key(value = "num_tasks", fallback = "1") int tasks)
        implements
            PeftConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range, or there are several tasks
     */
    public MultitaskPromptConfig {
        Checks.rank("num_ranks", rank);
        Checks.require(tasks == 1, "num_tasks is " + tasks + "; adapters for one task are supported");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static Builder builder() {
        return ConfigBuilder.of(Builder.class, MultitaskPromptConfig.class);
    }

    /** A builder with the values of this configuration. */
    public Builder toBuilder() {
        return ConfigBuilder.from(Builder.class, this);
    }

    /** Builds a {@link MultitaskPromptConfig}, which says what each value means. */
    public interface Builder extends VirtualTokens.Builder<MultitaskPromptConfig, Builder> {
        /** The rank of the task's matrix; default 1. */
        Builder rank(int value);

        /** 1. */
        Builder tasks(int value);
    }
}
