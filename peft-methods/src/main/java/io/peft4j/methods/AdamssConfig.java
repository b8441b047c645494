package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.KeyFormat;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedBuilder;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.UnusedKey;

/**
 * AdaMSS (<a href="https://huggingface.co/docs/peft/package_reference/adamss">Hugging Face PEFT</a>): the outputs of a layer are divided into
 * clusters, each with a change of low rank in the largest singular directions of the weight: {@code y_k = base(x)_k + x
 * P^T A_k^T B_k^T} for the rows k of a cluster: P [R, in] the directions, not trained, A_k [r_k, R], B_k [rows of k,
 * r_k]. Where the base has a bias, it is a last column of the weight, and x ends with a 1. {@code sum of r_k * (R +
 * rows of k)} parameters a layer.
 *
 * <p>Which rows are in a cluster is not part of the file: k-means of the left singular vectors, computed again from
 * the base and {@code random_seed} as scikit-learn does.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: R: directions, fewer than outputs; where the weight has fewer, those; default 100
 * @param clusters {@code num_subspaces}: clusters of rows; default 5
 * @param clusterRank {@code subspace_rank}: the largest r_k; default 1
 * @param dynamicRank {@code use_dynamic_rank}: whether r_k is the number of a cluster's directions whose squared
 *     singular values are above a threshold; default false
 * @param threshold {@code svd_threshold}: that threshold, as a share of the largest; default 0.1
 * @param seed {@code random_seed}: seed of the search for the directions; default 0
 * @param start {@code init_weights}: how the adapter begins; default {@link Start#BASE}
 */
@PeftType(value = "ADAMSS", autoRateFactor = 3)
@UnusedKey(value = "use_asa", fallback = "false", because = "clusters are not dropped in training here")
@UnusedKey(value = "asa_target_subspaces", fallback = "50")
@UnusedKey(value = "init_warmup", fallback = "50")
@UnusedKey(value = "final_warmup", fallback = "1000")
@UnusedKey(value = "mask_interval", fallback = "100")
@UnusedKey(value = "asa_importance_beta", fallback = "0.85")
@UnusedKey(value = "asa_uncertainty_beta", fallback = "0.85")
@UnusedKey(value = "asa_schedule_exponent", fallback = "3.0")
public record AdamssConfig(CommonConfig common,
        @Group(without = "exclude_modules") Placement placement,
        @Key(value = "r", fallback = "100") int rank,
        @Key(value = "num_subspaces", fallback = "5") int clusters,
        @Key(value = "subspace_rank", fallback = "1") int clusterRank,
        @Key("use_dynamic_rank") boolean dynamicRank,
        @Key(value = "svd_threshold", fallback = "0.1") double threshold,
        @Key("random_seed") long seed,
        @Key(value = "init_weights", fallback = "\"orthogonal\"") Start start)
        implements
            PlacedConfig {
    /** How a new adapter begins. */
    public enum Start {
        /** B is 0: as the base. */
        @KeyFormat.Named("\"orthogonal\"")
        BASE,
        /** B is normal with standard deviation 0.01. */
        @KeyFormat.Named("false")
        RANDOM
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public AdamssConfig {
        Checks.rank("the rank (r)", rank);
        Checks.atLeast(1, "num_subspaces", clusters);
        Checks.rank("subspace_rank", clusterRank);
        Checks.finite("svd_threshold", threshold);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static Builder builder() {
        return ConfigBuilder.of(Builder.class, AdamssConfig.class);
    }

    /** A builder with the values of this configuration. */
    public Builder toBuilder() {
        return ConfigBuilder.from(Builder.class, this);
    }

    /** Builds an {@link AdamssConfig}, which says what each value means. */
    public interface Builder extends PlacedBuilder<AdamssConfig, Builder> {
        /** Directions; default 100. */
        Builder rank(int value);

        /** Clusters of rows; default 5. */
        Builder clusters(int value);

        /** The largest rank of a cluster; default 1. */
        Builder clusterRank(int value);

        /** Whether a cluster's rank depends on its singular values; default false. */
        Builder dynamicRank(boolean value);

        /** The least squared singular value that counts, as a share of the largest; default 0.1. */
        Builder threshold(double value);

        /** Seed of the search for the directions; default 0. */
        Builder seed(long value);

        /** How the adapter begins; default {@link Start#BASE}. */
        Builder start(Start value);
    }
}
