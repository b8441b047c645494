package io.peft4j.lora;

import io.peft4j.core.peft.ObjectFormat;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.Key;

/**
 * KaSA (<a href="https://arxiv.org/abs/2412.06071">2412.06071</a>), {@code kasa_config} of {@link LoraConfig}: the base
 * weight loses its r smallest singular components, and the change has singular values d [r] of its own: {@code y = x
 * (W - W_r)^T + s * (d * (dropout(x) A^T)) B^T}. {@code r * (in + out + 1)} parameters a layer.
 *
 * <p>The weights of the paper's two penalties are kept in the file and have no effect, as in Hugging Face PEFT, where a
 * training loop has to add them itself. The base is never changed: without its adapter the model is whole again.
 *
 * @param beta {@code beta}: weight of the penalty on d; default 1e-4
 * @param gamma {@code gamma}: weight of the penalty on rows of A and columns of B that are not orthogonal; default 1e-3
 */
public record Kasa(@Key(value = "beta", fallback = "0.0001") double beta,
        @Key(value = "gamma", fallback = "0.001") double gamma) {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is negative
     */
    public Kasa {
        Checks.require(beta >= 0, "beta is " + beta + "; it must not be negative");
        Checks.require(gamma >= 0, "gamma is " + gamma + "; it must not be negative");
    }

    /** An object, or null. */
    static final class Format extends ObjectFormat<Kasa> {
        Format() {
            super(Kasa.class);
        }
    }
}
