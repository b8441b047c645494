package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.KeyFormat;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;

/**
 * AdaMSS (<a href="https://huggingface.co/docs/peft/package_reference/adamss">Hugging Face PEFT</a>): the outputs of a
 * layer are divided into clusters, each with a change of low rank in the largest singular directions of the weight:
 * {@code y_k = base(x)_k + x P^T A_k^T B_k^T} for the rows k of a cluster: P [R, in] the directions, not trained, A_k
 * [r_k, R], B_k [rows of k, r_k]. Where the base has a bias, it is a last column of the weight, and x ends with a 1.
 * {@code sum of r_k * (R + rows of k)} parameters a layer.
 *
 * <p>Which rows are in a cluster is not part of the file: k-means of the left singular vectors, computed again from
 * the base and {@code random_seed} as scikit-learn does.
 *
 * <p>With {@code use_asa} a training drops clusters of all layers, those that matter least: their A_k and B_k stay in
 * the adapter as they are then, and nothing changes them any more, weight decay neither. After each update t (from 0)
 * with {@code init_warmup <= t <= final_warmup} every value's importance is averaged, {@code i = b1 i + (1 - b1)
 * |value * gradient|}, and its uncertainty, {@code u = b2 u + (1 - b2) ||value * gradient| - i|} with the i before.
 * Where {@code mask_interval} divides t, {@code n = target + (all - target) * (1 - (t - init_warmup) / (final_warmup -
 * init_warmup))^exponent}, rounded down; the trained clusters, where they are more than n, are dropped unless their
 * score, the mean of {@code i u} over A_k plus that over B_k, is above the n-th largest; and the averages are reset.
 * So, as in Hugging Face PEFT, n - 1 are left then, and of equal scores none, whatever the order of layers: a target
 * of 1 can leave nothing to train. A dropped cluster has no gradient to be chosen by, so it is trained again in another
 * training only. PEFT does this where its {@code AdamssAsaCallback} is given to the trainer, for several active
 * adapters with the number of the first one's clusters; here each has its own.
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
 * @param dropsClusters {@code use_asa}: whether a training drops clusters; default false, and the components that
 *     follow are then without effect
 * @param targetClusters {@code asa_target_subspaces}: the target; default 50
 * @param firstUpdate {@code init_warmup}; default 50
 * @param lastUpdate {@code final_warmup}; default 1000
 * @param interval {@code mask_interval}: updates from one choice to the next; default 100
 * @param beta1 {@code asa_importance_beta}: b1; default 0.85
 * @param beta2 {@code asa_uncertainty_beta}: b2; default 0.85
 * @param exponent {@code asa_schedule_exponent}: how much faster than linearly clusters are dropped; default 3
 */
@PeftType(value = "ADAMSS", name = "adamss",
        description = "low-rank updates of clusters of each target's outputs, within its leading singular subspace",
        paper = "https://huggingface.co/docs/peft/package_reference/adamss", autoRateFactor = 3)
public record AdamssConfig(CommonConfig common,
        @Group(without = "exclude_modules") Placement placement,
        @Key(value = "r", fallback = "100") int rank,
        @Key(value = "num_subspaces", fallback = "5") int clusters,
        @Key(value = "subspace_rank", fallback = "1") int clusterRank,
        @Key("use_dynamic_rank") boolean dynamicRank,
        @Key(value = "svd_threshold", fallback = "0.1") double threshold,
        @Key("random_seed") long seed,
        @Key(value = "init_weights", fallback = "\"orthogonal\"") Start start,
        @Key("use_asa") boolean dropsClusters,
        @Key(value = "asa_target_subspaces", fallback = "50") int targetClusters,
        @Key(value = "init_warmup", fallback = "50") int firstUpdate,
        @Key(value = "final_warmup", fallback = "1000") int lastUpdate,
        @Key(value = "mask_interval", fallback = "100") int interval,
        @Key(value = "asa_importance_beta", fallback = "0.85") double beta1,
        @Key(value = "asa_uncertainty_beta", fallback = "0.85") double beta2,
        @Key(value = "asa_schedule_exponent", fallback = "3.0") double exponent)
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
        if (dropsClusters) {
            Checks.atLeast(1, "asa_target_subspaces", targetClusters);
            Checks.atLeast(1, "mask_interval", interval);
            Checks.require(firstUpdate < lastUpdate, "init_warmup is " + firstUpdate + " and final_warmup "
                    + lastUpdate + "; init_warmup must be below final_warmup, so that clusters can be dropped between");
            Checks.probability("asa_importance_beta", beta1);
            Checks.probability("asa_uncertainty_beta", beta2);
            Checks.require(exponent > 0 && Double.isFinite(exponent), "asa_schedule_exponent is " + exponent
                    + "; it must be a number above 0");
        }
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static AdamssConfigBuilder builder() {
        return ConfigBuilder.of(AdamssConfigBuilder.class, AdamssConfig.class);
    }

    /** A builder with the values of this configuration. */
    public AdamssConfigBuilder toBuilder() {
        return ConfigBuilder.from(AdamssConfigBuilder.class, this);
    }
}
