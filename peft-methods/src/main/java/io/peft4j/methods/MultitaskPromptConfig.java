package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.nn.RowTask;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.UnusedKey;
import java.util.OptionalInt;

/**
 * Multitask prompt tuning (<a href="https://arxiv.org/abs/2303.02861">2303.02861</a>): embeddings of virtual tokens
 * before every sequence, {@code P * (C R)}, P [tokens, H] shared by tasks, C [tokens, rank] and R [rank, H] those of
 * a task, * element by element. {@code tokens * H + tasks * rank * (tokens + H)} parameters.
 *
 * <p>Each row is computed as the task that it names ({@code task_id}, as in Hugging Face PEFT), else as the adapter's.
 *
 * @param common what every configuration holds
 * @param virtualTokens how many, and the model's sizes
 * @param rank {@code num_ranks}: the rank of C R; default 1
 * @param tasks {@code num_tasks}: tasks that have a matrix; default 1
 * @param task {@code task_id}: the task of rows that name none; default 0 if there is one, else they are refused
 */
@PeftType(value = "MULTITASK_PROMPT_TUNING", name = "multitask-prompt-tuning",
        description = "a soft prompt, multiplied by a low-rank matrix of the task",
        paper = "https://arxiv.org/abs/2303.02861", autoRateFactor = 30)
@UnusedKey(value = "prompt_tuning_init", fallback = "\"RANDOM\"", because = "new adapters begin at random")
@UnusedKey(value = "prompt_tuning_init_state_dict_path")
@UnusedKey(value = "prompt_tuning_init_task", fallback = "0")
@UnusedKey(value = "prompt_tuning_init_text")
@UnusedKey(value = "tokenizer_name_or_path")
@UnusedKey(value = "tokenizer_kwargs")
public record MultitaskPromptConfig(CommonConfig common, @Group VirtualTokens virtualTokens,
        @Key(value = "num_ranks", fallback = "1") int rank,
        @Key(value = "num_tasks", fallback = "1") int tasks,
        @Key(value = "task_id", format = TaskId.class) OptionalInt task)
        implements
            PeftConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public MultitaskPromptConfig {
        Checks.rank("num_ranks", rank);
        TaskId.check(task, "num_tasks", tasks);
    }

    @Internal
    @Override
    public RowTask task(int asked) {
        return TaskId.of(asked, task, "num_tasks", tasks);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static MultitaskPromptConfigBuilder builder() {
        return ConfigBuilder.of(MultitaskPromptConfigBuilder.class, MultitaskPromptConfig.class);
    }

    /** A builder with the values of this configuration. */
    public MultitaskPromptConfigBuilder toBuilder() {
        return ConfigBuilder.from(MultitaskPromptConfigBuilder.class, this);
    }
}
