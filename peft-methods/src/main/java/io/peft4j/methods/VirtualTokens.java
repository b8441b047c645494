package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.UnusedKey;
import io.peft4j.core.peft.method.AdapterSetup;
import java.util.List;

/**
 * Virtual tokens, which come before every sequence, and the sizes of the model that they are for. Hugging Face PEFT
 * writes the sizes into the file; here they are taken from the model and compared. A size of 0 is not given yet.
 *
 * @param count {@code num_virtual_tokens}; default 20, where PEFT has none
 * @param tokenDim {@code token_dim}: features of a virtual token
 * @param layers {@code num_layers}
 * @param attentionHeads {@code num_attention_heads}; of prefix tuning the key/value heads
 * @param submodules {@code num_transformer_submodules}: 1 for a decoder
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

    /** The attention layers of a model, in their order. */
    static List<SelfAttention> attentionLayers(AdapterSetup setup) {
        List<SelfAttention> found = setup.network().slots().stream().map(slot -> slot.layer())
                .filter(SelfAttention.class::isInstance).map(SelfAttention.class::cast).toList();
        if (found.isEmpty()) {
            throw new ConfigurationException("models of type " + setup.network().description().modelType()
                    + " have no attention layers for virtual tokens");
        }
        return found;
    }

    /** For prompts: tokens as wide as the hidden state. */
    VirtualTokens asPrompt(AdapterSetup setup) {
        return resolved(setup, setup.network().description().hiddenSize(),
                attentionLayers(setup).get(0).shape().heads());
    }

    /** For prefixes: tokens as wide as keys and values are. */
    VirtualTokens asPrefix(AdapterSetup setup) {
        SelfAttention first = attentionLayers(setup).get(0);
        return resolved(setup, first.shape().keyColumns(), first.shape().keyValueHeads());
    }

    private VirtualTokens resolved(AdapterSetup setup, int dim, int heads) {
        ModelDescription model = setup.network().description();
        check("token_dim", tokenDim, dim, model);
        check("num_layers", layers, model.layers(), model);
        check("num_attention_heads", attentionHeads, heads, model);
        check("num_transformer_submodules", submodules, 1, model);
        if (count >= model.maxPositions()) {
            throw new ConfigurationException("num_virtual_tokens is " + count + ", and " + model.name()
                    + " was made for " + model.maxPositions() + " positions; leave room for text");
        }
        return new VirtualTokens(count, dim, model.layers(), heads, 1);
    }

    private static void check(String key, int given, int actual, ModelDescription model) {
        if (given != 0 && given != actual) {
            throw new ConfigurationException(key + " is " + given + ", and " + model.name() + " has " + actual
                    + "; leave it out, or use the model that the adapter was made for");
        }
    }
}
