package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.nn.RowTask;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.UnusedKey;
import java.util.OptionalInt;

/**
 * Poly (<a href="https://arxiv.org/abs/2202.13914">2202.13914</a>; with several splits <a
 * href="https://arxiv.org/abs/2211.03831">2211.03831</a>): the low-rank matrices of a task are mixtures of those of
 * skills: {@code y = base(x) + x A B / r}, for each split of the features A [in, r] and B [r, out] are the sums of
 * the skills' matrices, weighted by {@code w_s = sigmoid(z_s) / (sum of all)}, z [skills] trained. In training {@code
 * z + logit(u)} takes the place of z, u uniform. {@code skills * (r * (in + out) + tasks * splits)} parameters a layer.
 *
 * <p>Each row is computed as the task that it names ({@code task_id}, as in Hugging Face PEFT), else as the adapter's.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the rank; default 8
 * @param skills {@code n_skills}: pairs of matrices; default 4
 * @param splits {@code n_splits}: parts of the features that have weights of their own: a divisor of in and out;
 *     default 1
 * @param tasks {@code n_tasks}: tasks that have weights of the skills; default 1
 * @param task {@code task_id}: the task of rows that name none; default 0 if there is one, else they are refused
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 */
@PeftType(value = "POLY", name = "poly",
        description = "low-rank skills at each target, with routing weights for each task",
        paper = "https://arxiv.org/abs/2202.13914", autoRateFactor = 2)
@UnusedKey(value = "poly_type", fallback = "\"poly\"", feature = "other routers")
public record PolyConfig(CommonConfig common,
        @Group(without = {
            "layers_to_transform", "layers_pattern"}) Placement placement,
        @Key(value = "r", fallback = "8") int rank,
        @Key(value = "n_skills", fallback = "4") int skills,
        @Key(value = "n_splits", fallback = "1") int splits,
        @Key(value = "n_tasks", fallback = "1") int tasks,
        @Key(value = "task_id", format = TaskId.class) OptionalInt task,
        @Key(value = "init_weights", fallback = "true") boolean initWeights)
        implements
            PlacedConfig{
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public PolyConfig {
        Checks.rank("the rank (r)", rank);
        Checks.atLeast(1, "n_skills", skills);
        Checks.atLeast(1, "n_splits", splits);
        TaskId.check(task, "n_tasks", tasks);
    }

    @Internal
    @Override
    public RowTask task(int asked) {
        return TaskId.of(asked, task, "n_tasks", tasks);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static PolyConfigBuilder builder() {
        return ConfigBuilder.of(PolyConfigBuilder.class, PolyConfig.class);
    }

    /** A builder with the values of this configuration. */
    public PolyConfigBuilder toBuilder() {
        return ConfigBuilder.from(PolyConfigBuilder.class, this);
    }
}
