package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
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
public record VirtualTokens(int count, int tokenDim, int layers, int attentionHeads, int submodules) {
    /**
     * Checks ranges.
     *
     * @throws ConfigurationException when there is no virtual token, or a size is negative
     */
    public VirtualTokens {
        PlacementJson.require(count > 0, "num_virtual_tokens is " + count + "; it must be at least 1");
        PlacementJson.require(tokenDim >= 0 && layers >= 0 && attentionHeads >= 0 && submodules >= 0,
                "token_dim, num_layers, num_attention_heads and num_transformer_submodules must be at least 0");
    }

    /** Virtual tokens for the model that they are made on. */
    public static VirtualTokens of(int count) {
        return new VirtualTokens(count, 0, 0, 0, 0);
    }

    static VirtualTokens read(ConfigReader reader) {
        int count = reader.integer("num_virtual_tokens", 20, 1);
        int dim = reader.integer("token_dim", 0, 0);
        int layers = reader.integer("num_layers", 0, 0);
        int heads = reader.integer("num_attention_heads", 0, 0);
        int submodules = reader.integer("num_transformer_submodules", 0, 0);
        reader.requireOff("modules_to_save", "training whole layers beside virtual tokens");
        reader.ignore("modules_to_save");
        return PlacementJson.checked(reader, () -> new VirtualTokens(count, dim, layers, heads, submodules));
    }

    ConfigWriter write(ConfigWriter writer) {
        put(writer, "token_dim", tokenDim);
        put(writer, "num_layers", layers);
        put(writer, "num_attention_heads", attentionHeads);
        put(writer, "num_transformer_submodules", submodules);
        return writer.put("num_virtual_tokens", count).putDefault("modules_to_save", "null");
    }

    static void put(ConfigWriter writer, String key, int value) {
        if (value == 0) {
            writer.putNull(key);
        } else {
            writer.put(key, value);
        }
    }

    /** The attention layers of a model, in their order. */
    static List<SelfAttention> attentionLayers(AdapterSetup setup) {
        List<SelfAttention> found = setup.network().slots().stream().map(slot -> slot.layer())
                .filter(SelfAttention.class::isInstance).map(SelfAttention.class::cast).toList();
        if (found.isEmpty()) {
            throw new ConfigurationException("models of type " + setup.network().description().modelType()
                    + " show no attention layers to put virtual tokens before");
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
                    + " was made for " + model.maxPositions() + " positions; there must be room for a text");
        }
        return new VirtualTokens(count, dim, model.layers(), heads, 1);
    }

    private static void check(String key, int given, int actual, ModelDescription model) {
        if (given != 0 && given != actual) {
            throw new ConfigurationException(key + " is " + given + ", and " + model.name() + " has " + actual
                    + "; leave it out, or take the model that the adapter was made for");
        }
    }
}
