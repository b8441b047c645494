package io.peft4j.lora.init;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.ConfigWriter;
import io.peft4j.core.peft.config.KeyFormat;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.Initializer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * How a new adapter begins. A [r, in] and B [out, r] are those of a linear layer; an embedding's A [r, V] and B [H, r]
 * change roles: A is what begins at zero, whatever is chosen here but {@link #RANDOM}. What takes a part of the base is
 * for linear layers alone.
 *
 * <p>{@link Pissa}, {@link Olora}, {@link Corda} and {@link LoraGa} begin with a part of the base weight,
 * {@code s B0 A0}, and take it out of the base, so that training moves what matters most. The base itself is not
 * changed: the model computes with {@code W + s (B A - B0 A0)}, and a file gets the equal plain LoRA of twice the rank,
 * as Hugging Face PEFT writes with {@code path_initial_model_for_weight_conversion}.
 *
 * <p>{@link LoftQ} puts another weight in the place of the base's. {@link Eva}, Corda and LoraGa are computed from data
 * ({@link io.peft4j.core.peft.config.CalibrationBatches}).
 */
public sealed interface LoraInit permits LoraInit.Kaiming, LoraInit.Gaussian, LoraInit.Random, Orthogonal, Olora, Pissa,
        Mica, LoraInit.WithOptions {
    /** {@link Kaiming}; the default. */
    LoraInit KAIMING = new Kaiming();

    /** {@link Gaussian}. */
    LoraInit GAUSSIAN = new Gaussian();

    /** {@link Random}. */
    LoraInit RANDOM = new Random();

    /** {@link Orthogonal}. */
    LoraInit ORTHOGONAL = new Orthogonal();

    /** {@link Olora}. */
    LoraInit OLORA = new Olora();

    /** {@link Pissa}, exact. */
    LoraInit PISSA = new Pissa(OptionalInt.empty());

    /** {@link Mica}. */
    LoraInit MICA = new Mica();

    /** Which part of the base belongs to an adapter that begins so. */
    enum BasePart {
        /** None. */
        NONE,
        /** A part of low rank that can be computed from the base again. */
        REPEATABLE,
        /** A part of low rank that was computed from data or at random, too, which no file holds. */
        UNREPEATABLE,
        /** All of it, in another form. */
        WHOLE
    }

    /** The value of {@code init_lora_weights} in {@code adapter_config.json}, as JSON text. */
    String json();

    /** Which part of the base belongs to the adapter; default none. */
    default BasePart basePart() {
        return BasePart.NONE;
    }

    /** What an automatic learning rate is multiplied by; default 1, and a half where a part of the base is trained. */
    default double autoRateFactor() {
        return basePart() == BasePart.NONE ? 1 : 0.5;
    }

    /** Whether first values are computed from data; default no. */
    default boolean needsCalibration() {
        return false;
    }

    /** Whether B stays as it begins; default no. */
    default boolean freezesB() {
        return false;
    }

    /** Whether it works on linear layers alone. */
    default boolean needsLinear() {
        return basePart() != BasePart.NONE;
    }

    /**
     * Gives targets first values that belong together, and where that belongs to it other ranks; default none.
     *
     * @param setup the model, the source of randomness, and the data where it needs some
     * @param targets all targets, embeddings too, in the order of the network
     * @return the targets that are adapted; those without first values are drawn as {@link #a} and {@link #b} say
     * @throws io.peft4j.core.error.ConfigurationException when they cannot be computed
     */
    @Internal
    default List<LoraTarget> begin(AdapterSetup setup, List<LoraTarget> targets) {
        return targets;
    }

    /** For A [r, in], if it is drawn on its own. */
    default Initializer a(int rank, long in) {
        return Initializer.linear(in);
    }

    /** For B [out, r] and its bias [out], where they are drawn by themselves. */
    default Initializer b(int rank) {
        return Initializer.ZEROS;
    }

    /** For an embedding's A [r, V]; its B [H, r] is normal. */
    default Initializer embeddingA() {
        return Initializer.ZEROS;
    }

    /** A as PyTorch begins a linear layer, uniform in 1 / sqrt(in), B zero: the model begins as the base. */
    record Kaiming() implements LoraInit {
        @Override
        public String json() {
            return "true";
        }
    }

    /** A normal with standard deviation 1/r, B zero: the model begins as the base. */
    record Gaussian() implements LoraInit {
        @Override
        public String json() {
            return "\"gaussian\"";
        }

        @Override
        public Initializer a(int rank, long in) {
            return Initializer.normal(1.0 / rank);
        }
    }

    /** A and B both random: the model begins away from the base. For tests. */
    record Random() implements LoraInit {
        @Override
        public String json() {
            return "false";
        }

        @Override
        public Initializer b(int rank) {
            return Initializer.linear(rank);
        }

        @Override
        public Initializer embeddingA() {
            return Initializer.normal(1);
        }
    }

    /** One with options beside its name, under a key of its own in {@code adapter_config.json}. */
    sealed interface WithOptions extends LoraInit permits Eva, Corda, LoraGa, LoftQ {
        /** The key. */
        default String key() {
            return json().replace("\"", "") + "_config";
        }

        /** The value of the key in a file of another beginning, as JSON text. */
        default String absent() {
            return "null";
        }

        /** Whether alphas are computed from ranks. Hugging Face PEFT then writes whole ones with a fraction, too. */
        default boolean computesAlphas() {
            return false;
        }
    }

    /** The format of {@code init_lora_weights} and of the options, which have keys of their own. */
    final class Format implements KeyFormat<LoraInit> {
        private static final List<WithOptions> WITH_OPTIONS = List.of(Eva.builder().build(), Corda.builder().build(),
                LoftQ.builder().build(), LoraGa.builder().build());
        private static final List<LoraInit> KNOWN = Stream.concat(
                Stream.of(KAIMING, GAUSSIAN, RANDOM, ORTHOGONAL, OLORA, PISSA, MICA), WITH_OPTIONS.stream()).toList();

        @Override
        public LoraInit read(ConfigReader reader, String key, String fallback) {
            String json = reader.json(key).orElse(fallback);
            Optional<LoraInit> found = KNOWN.stream().filter(init -> init.json().equals(json)).findFirst()
                    .or(() -> Pissa.iterated(json));
            for (WithOptions other : WITH_OPTIONS) {
                if (other.json().equals(json)) {
                    Optional<ConfigReader> options = reader.object(other.key());
                    found = Optional.of(options.isPresent() ? options.get().record(other.getClass()) : other);
                } else {
                    reader.ignoreBecause(other.key(), key + " is " + json);
                }
            }
            return found.orElseThrow(() -> new ConfigurationException(reader.source() + ": " + key + " is " + json
                    + "; supported are " + KNOWN.stream().map(LoraInit::json).toList()
                    + " and \"pissa_niter_N\""));
        }

        @Override
        public void write(ConfigWriter writer, String key, LoraInit init) {
            writer.putJson(key, init.json());
            WITH_OPTIONS.forEach(other -> writer.putDefault(other.key(), other.absent()));
            if (init instanceof WithOptions own) {
                writer.putRecord(own.key(), (Record) own);
                if (own.computesAlphas()) {
                    writer.withFractions("alpha_pattern");
                }
            }
        }
    }
}
