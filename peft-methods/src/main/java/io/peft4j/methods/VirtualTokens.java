package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.UnusedKey;

/**
 * Virtual tokens, which come before every sequence, and the sizes of the model that they are for. Hugging Face PEFT
 * writes the sizes into the file; here they are taken from the model and compared. A size of 0 is not given yet.
 *
 * @param count {@code num_virtual_tokens}; default 20, where PEFT has none
 * @param tokenDim {@code token_dim}: features of a virtual token
 * @param layers {@code num_layers}
 * @param attentionHeads {@code num_attention_heads}; of prefix tuning the key/value heads
 * @param submodules {@code num_transformer_submodules}: 1 for a decoder, 2 for an encoder-decoder
 */
@UnusedKey(value = "modules_to_save", feature = "training whole layers beside virtual tokens")
public record VirtualTokens(@Key(value = "num_virtual_tokens", fallback = "20") int count,
        @Key(value = "token_dim", zeroIsNull = true) int tokenDim,
        @Key(value = "num_layers", zeroIsNull = true) int layers,
        @Key(value = "num_attention_heads", zeroIsNull = true) int attentionHeads,
        @Key(value = "num_transformer_submodules", zeroIsNull = true) int submodules) {
    /**
     * Checks ranges.
     *
     * @throws ConfigurationException when there is no virtual token, or a size is negative
     */
    public VirtualTokens {
        Checks.atLeast(1, "num_virtual_tokens", count);
        Checks.require(tokenDim >= 0 && layers >= 0 && attentionHeads >= 0 && submodules >= 0,
                "token_dim, num_layers, num_attention_heads and num_transformer_submodules must be at least 0");
    }

    /** Rows of the table of a model's virtual tokens: those of an encoder-decoder are as many again, and not used. */
    public int rows() {
        return Math.multiplyExact(count, Math.max(1, submodules));
    }

    /** Virtual tokens for the model that they are made on. */
    public static VirtualTokens of(int count) {
        return new VirtualTokens(count, 0, 0, 0, 0);
    }

    /**
     * What the builders of all methods with virtual tokens have.
     *
     * @param <C> the configuration
     * @param <B> the builder
     */
    public interface Builder<C, B> extends ConfigBuilder<C> {
        /** What every configuration holds. */
        B common(CommonConfig value);

        /** How many virtual tokens, and the model's sizes; default 20, for the model that they are made on. */
        B virtualTokens(VirtualTokens value);

        /** How many virtual tokens. */
        default B virtualTokens(int count) {
            return virtualTokens(of(count));
        }
    }
}
