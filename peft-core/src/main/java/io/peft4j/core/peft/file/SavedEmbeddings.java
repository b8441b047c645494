package io.peft4j.core.peft.file;

import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Whether the frozen matrices of embedding and output layer are stored with an adapter, as {@code
 * save_embedding_layers} of Hugging Face PEFT says. They are as large as the vocabulary; an adapter is loaded without
 * them just as well, where its base has the same rows.
 */
public enum SavedEmbeddings {
    /**
     * PEFT's default: those that the adapter sits on, unless it trains rows of tokens; both where the base was given
     * new tokens.
     */
    AUTO,
    /** PEFT's {@code True}: those that the adapter sits on, or both where it sits on neither. */
    ALL,
    /** PEFT's {@code False}. */
    NONE,
    /** What this library does where nothing is said: those that the adapter's file had when it was loaded. */
    AS_LOADED;

    private static final String TOKEN_ROWS = "trainable_tokens";

    Set<String> keys(Adapter adapter, Set<String> stored, Set<String> loaded, BaseLanguageModel base) {
        if (this == AS_LOADED) {
            return loaded;
        }
        boolean trainsRows = stored.stream().anyMatch(key -> key.contains(TOKEN_ROWS));
        Set<String> adapted = adapter.layers().stream().map(layer -> layer.slot().path()).collect(Collectors.toSet());
        List<Slot> layers = layers(base);
        boolean targeted = !trainsRows && layers.stream().anyMatch(slot -> adapted.contains(slot.path()));
        if (this == NONE || this == AUTO && !targeted && !base.hasNewTokens()) {
            return Set.of();
        }
        return layers.stream().filter(slot -> !targeted || adapted.contains(slot.path()))
                .map(slot -> AdapterSetup.key(slot, !adapted.contains(slot.path()) ? BaseCopy.PLAIN_NAME
                        : trainsRows ? BaseCopy.TOKEN_NAME : BaseCopy.NAME))
                .collect(Collectors.toSet());
    }

    /** Embedding and output layer. */
    static List<Slot> layers(BaseLanguageModel base) {
        return Stream.concat(Stream.of(base.network().embedding()), base.network().output().stream())
                .filter(slot -> WeightSample.weight(slot).isPresent()).toList();
    }
}
