package io.peft4j.core.peft.config;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Objects;

/**
 * Which biases of the base model are trained and stored with an adapter: {@code bias} in {@code adapter_config.json}.
 *
 * <p>For those of the adapted layers each method has a word of its own ({@code lora_only}, {@code vera_only}); as in
 * Hugging Face PEFT, every method takes any word that ends in {@code _only} for it.
 *
 * @param extent of which layers
 * @param word the word that a file has for {@link Extent#ADAPTED} where that is not the method's own, else empty
 */
public record Bias(Extent extent, String word) {
    /** None; the default. */
    public static final Bias NONE = new Bias(Extent.NONE, "");
    /** Those of all layers. */
    public static final Bias ALL = new Bias(Extent.ALL, "");
    /** Those of the adapted layers. */
    public static final Bias ADAPTED = new Bias(Extent.ADAPTED, "");
    private static final String ONLY = "_only";

    /** Of which layers the biases are trained. */
    public enum Extent {
        /** Of none. */
        NONE,
        /** Of all. */
        ALL,
        /** Of the adapted ones. */
        ADAPTED
    }

    /**
     * Checks the word.
     *
     * @throws ConfigurationException when it is not valid for the adapted layers
     */
    public Bias {
        Objects.requireNonNull(extent, "extent");
        if (!word.isEmpty() && !(extent == Extent.ADAPTED && word.endsWith(ONLY))) {
            throw new ConfigurationException("'" + word + "' is not a valid value for the biases of adapted layers; "
                    + "it must end in " + ONLY);
        }
    }

    /**
     * Reads {@code bias}; {@link #NONE} where it is not there.
     *
     * @param own the method's word for the adapted layers
     * @throws ConfigurationException when it is something else
     */
    public static Bias read(ConfigReader reader, String own) {
        String text = reader.text("bias", NONE.json(own));
        for (Bias bias : List.of(NONE, ALL, ADAPTED)) {
            if (text.equals(bias.json(own))) {
                return bias;
            }
        }
        if (text.endsWith(ONLY)) {
            return new Bias(Extent.ADAPTED, text);
        }
        throw new ConfigurationException(reader.source() + ": bias is '" + text + "'; it must be none, all or " + own);
    }

    /**
     * The value of {@code bias}.
     *
     * @param own the method's word for the adapted layers
     */
    public String json(String own) {
        return switch (extent) {
            case NONE -> "none";
            case ALL -> "all";
            case ADAPTED -> word.isEmpty() ? own : word;
        };
    }
}
