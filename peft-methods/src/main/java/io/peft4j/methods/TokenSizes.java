package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AdapterSetup;
import java.util.List;

/** The sizes of virtual tokens on a model. What a configuration says of them must be what the model has. */
final class TokenSizes {
    /** Encoder and decoder. */
    private static final int STACKS = 2;

    private TokenSizes() {
    }

    /** The attention layers of a model, or of its decoder, in their order. */
    static List<Slot> attentionLayers(AdapterSetup setup) {
        List<Slot> all = setup.network() instanceof EncoderDecoderNetwork both ? both.decoderSlots()
                : setup.network().slots();
        List<Slot> found = all.stream().filter(slot -> slot.layer() instanceof SelfAttention).toList();
        if (found.isEmpty()) {
            throw new ConfigurationException("models of type " + setup.network().description().modelType()
                    + " have no attention layers for virtual tokens");
        }
        return found;
    }

    static AttentionShape shape(Slot attention) {
        return ((SelfAttention) attention.layer()).shape();
    }

    /** For prompts: tokens as wide as the hidden state. */
    static VirtualTokens ofPrompt(VirtualTokens asked, AdapterSetup setup) {
        requireNoEncoder(setup);
        if (!setup.network().isCausal()) {
            throw new ConfigurationException("prompt tuning and p-tuning do not support encoders such as "
                    + setup.network().description().modelType() + ", where sequences of a batch would share virtual "
                    + "tokens; use another method, such as lora");
        }
        return resolved(asked, setup, setup.network().description().hiddenSize(),
                shape(attentionLayers(setup).get(0)).heads());
    }

    /** Refuses encoder-decoders. */
    static void requireNoEncoder(AdapterSetup setup) {
        if (setup.network() instanceof EncoderDecoderNetwork) {
            throw new ConfigurationException("of the methods with virtual tokens encoder-decoders such as "
                    + setup.network().description().modelType() + " support prompt tuning, p-tuning and prefix tuning; "
                    + "use one of them, or another method, such as lora");
        }
    }

    /**
     * For prompts of what an encoder reads. Hugging Face PEFT has as many for the decoder, which it does not use; it
     * takes the other sizes from the model.
     */
    static VirtualTokens ofSource(VirtualTokens asked, AdapterSetup setup) {
        ModelDescription model = setup.network().description();
        int columns = PromptTuningMethod.embedding(setup).table().columns();
        check("token_dim", asked.tokenDim(), columns, model);
        check("num_transformer_submodules", asked.submodules(), STACKS, model);
        requireRoom(asked, model);
        return new VirtualTokens(asked.count(), columns, asked.layers(), asked.attentionHeads(), STACKS);
    }

    /** For prefixes: tokens as wide as keys and values are. */
    static VirtualTokens ofPrefix(VirtualTokens asked, AdapterSetup setup) {
        List<Slot> layers = attentionLayers(setup);
        AttentionShape first = shape(layers.get(0));
        ModelDescription model = setup.network().description();
        if (layers.size() < model.layers()) {
            throw new ConfigurationException("prefix tuning needs keys and values in every layer, but only "
                    + layers.size() + " of " + model.layers() + " layers of " + model.name()
                    + " have them; use another "
                    + "method, such as lora");
        }
        if (!(setup.network() instanceof EncoderDecoderNetwork)) {
            return resolved(asked, setup, first.keyColumns(), first.keyValueHeads());
        }
        // Hugging Face PEFT counts the layers of the encoder.
        int counted = asked.layers() == 0 ? model.layers() : asked.layers();
        if (counted < model.layers()) {
            throw new ConfigurationException("num_layers is " + counted + ", and the decoder of " + model.name()
                    + " has " + model.layers() + " layers");
        }
        check("token_dim", asked.tokenDim(), first.keyColumns(), model);
        check("num_attention_heads", asked.attentionHeads(), first.keyValueHeads(), model);
        check("num_transformer_submodules", asked.submodules(), STACKS, model);
        requireRoom(asked, model);
        return new VirtualTokens(asked.count(), first.keyColumns(), counted, first.keyValueHeads(), STACKS);
    }

    private static VirtualTokens resolved(VirtualTokens asked, AdapterSetup setup, int dim, int heads) {
        ModelDescription model = setup.network().description();
        check("token_dim", asked.tokenDim(), dim, model);
        check("num_layers", asked.layers(), model.layers(), model);
        check("num_attention_heads", asked.attentionHeads(), heads, model);
        check("num_transformer_submodules", asked.submodules(), 1, model);
        requireRoom(asked, model);
        return new VirtualTokens(asked.count(), dim, model.layers(), heads, 1);
    }

    private static void requireRoom(VirtualTokens asked, ModelDescription model) {
        if (asked.count() >= model.maxPositions()) {
            throw new ConfigurationException("num_virtual_tokens is " + asked.count() + ", and " + model.name()
                    + " has " + model.maxPositions() + " positions; leave room for text");
        }
    }

    private static void check(String key, int given, int actual, ModelDescription model) {
        if (given != 0 && given != actual) {
            throw new ConfigurationException(key + " is " + given + ", and " + model.name() + " has " + actual
                    + "; remove it, or use the model that the adapter was made for");
        }
    }
}
