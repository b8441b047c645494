package io.peft4j.lora;

import io.peft4j.core.peft.ObjectFormat;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.Key;

/**
 * MonteCLoRA (<a href="https://arxiv.org/abs/2411.04358">2411.04358</a>), {@code monteclora_config} of
 * {@link LoraConfig}: LoRA with noise on A in training, plain LoRA afterwards. With K normal matrices Z_n [r, in]
 * {@code A + c * sqrt(v) * (sum of w_n Z_n)} replaces A, v [r] scaling its rows: {@code v = max(0.001, exp(2 s) *
 * z)}, z a chi-square number of r degrees; {@code w = softmax(p + sqrt(D) * d)}, d normal, {@code a = exp(p)},
 * {@code D_n = (1 - 2 / K) / a_n + (sum of 1 / a_m) / K^2}. Trained beside A and B: s [r] and p [K]; {@code r * (in +
 * out + 1) + K} parameters a layer.
 *
 * <p>The loss gets the mean over the layers of {@code kl * (Dirichlet + Wishart + normal) + entropy}, as by Hugging
 * Face PEFT's {@code MontecloraTrainerMixin}, once an update, of a draw of its own. With a0 the prior and S the sum of
 * a: Dirichlet is {@code lnG(S) - lnG(K a0) + sum of (lnG(a_n) - lnG(a0) + (a_n - a0) * (psi(a_n) - psi(S)))}; Wishart
 * is {@code r / 2 * sum of (exp(2 s_o) - 2 s_o - 1)}; normal is {@code K / 2 * sum of (v_o - ln v_o - 1)}; entropy is
 * the sum of w_n^2, or 0.
 *
 * @param samples {@code num_samples}: K; default 8
 * @param entropy {@code use_entropy}: whether the loss keeps w from choosing one sample; default false
 * @param prior {@code dirichlet_prior}: a0, above 0; default 0.1
 * @param scale {@code sample_scaler}: c; default 1e-4
 * @param divergence {@code kl_loss_weight}: kl; default 1e-5
 * @param buffer {@code buffer_size}: how many draws Hugging Face PEFT makes at once; no effect here; default 150
 */
public record Monteclora(@Key(value = "num_samples", fallback = "8") int samples, @Key("use_entropy") boolean entropy,
        @Key(value = "dirichlet_prior", fallback = "0.1") double prior,
        @Key(value = "sample_scaler", fallback = "0.0001") double scale,
        @Key(value = "kl_loss_weight", fallback = "0.00001") double divergence,
        @Key(value = "buffer_size", fallback = "150") int buffer) {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public Monteclora {
        Checks.atLeast(1, "num_samples", samples);
        Checks.require(prior > 0, "dirichlet_prior is " + prior + "; it must be above 0");
        Checks.finite("sample_scaler", scale);
        Checks.finite("kl_loss_weight", divergence);
        Checks.atLeast(1, "buffer_size", buffer);
    }

    /** Of K samples, with the other values at their defaults. */
    public static Monteclora of(int samples) {
        return new Monteclora(samples, false, 0.1, 1e-4, 1e-5, 150);
    }

    /** An object, or null. */
    static final class Format extends ObjectFormat<Monteclora> {
        Format() {
            super(Monteclora.class);
        }
    }
}
