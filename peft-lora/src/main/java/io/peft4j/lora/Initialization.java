package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.Initializer;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How a new adapter begins. A [r, in] and B [out, r] are those of a linear layer; an embedding's A [r, V] and B [H, r]
 * change roles: A is what begins at zero, whatever is chosen here but {@link #RANDOM}.
 *
 * <p>{@link #PISSA}, {@link #OLORA}, {@link #corda CorDA} and {@link #loraGa LoRA-GA} begin with a part of the base
 * weight, {@code s B0 A0}, and take it out of the base, so that training moves what matters most. The base itself is
 * not changed: the model computes with {@code W + s (B A - B0 A0)}, and a file gets the equal plain LoRA of twice the
 * rank, as Hugging Face PEFT writes with {@code path_initial_model_for_weight_conversion}.
 *
 * <p>{@link #loftQ LoftQ} puts another weight in the place of the base's. {@link #eva EVA}, CorDA and LoRA-GA are
 * computed from data ({@link io.peft4j.core.peft.Calibration}).
 */
public final class Initialization {
    /**
     * A as PyTorch begins a linear layer, uniform in 1 / sqrt(in), B zero: the model begins as the base. The default.
     */
    public static final Initialization KAIMING = drawn("true");
    /** A normal with standard deviation 1/r, B zero: the model begins as the base. */
    public static final Initialization GAUSSIAN = drawn("\"gaussian\"");
    /** A and B both random: the model begins away from the base. For tests. */
    public static final Initialization RANDOM = drawn("false");
    /** A and B random with B A = 0, up to rounding; the rank must be even. */
    public static final Initialization ORTHOGONAL = new Initialization("\"orthogonal\"", Optional.empty(),
            Optional.of(LoraBeginning.eachLayer(LoraStart::orthogonal)), Origin.NOTHING);
    /**
     * OLoRA (<a href="https://arxiv.org/abs/2406.01775">2406.01775</a>): the beginning of the QR decomposition of W.
     */
    public static final Initialization OLORA = fromBase("\"olora\"", LoraStart::olora, Origin.BASE);
    /** PiSSA (<a href="https://arxiv.org/abs/2404.02948">2404.02948</a>): the largest singular values of W. */
    public static final Initialization PISSA = fromBase("\"pissa\"", LoraStart::pissa, Origin.BASE);

    /**
     * MiCA (<a href="https://arxiv.org/abs/2604.01694">2604.01694</a>): B is what W uses least, the left vectors of its
     * smallest singular values, and stays so; A begins at zero and is all that is trained.
     */
    public static final Initialization MICA = new Initialization("\"mica\"", Optional.empty(),
            Optional.of(LoraBeginning.eachLayer(LoraStart::mica)), Origin.NOTHING);

    private static final List<Initialization> NAMED = List.of(KAIMING, GAUSSIAN, RANDOM, ORTHOGONAL, OLORA, PISSA,
            MICA);
    private static final Pattern ITERATED = Pattern.compile("\"pissa_niter_(\\d{1,4})\"");
    private static final List<Configured> CONFIGURED = List.of(
            new Configured("\"eva\"", "eva_config", EvaConfig.defaults(), EvaConfig::read,
                    config -> eva((EvaConfig) config)),
            new Configured("\"corda\"", "corda_config", CordaConfig.of(CordaConfig.Mode.IPM), CordaConfig::read,
                    config -> corda((CordaConfig) config)),
            new Configured("\"loftq\"", "loftq_config", LoftQConfig.defaults(), LoftQConfig::read,
                    config -> loftQ((LoftQConfig) config)),
            new Configured("\"lora_ga\"", "lora_ga_config", LoraGaConfig.defaults(), LoraGaConfig::read,
                    config -> loraGa((LoraGaConfig) config)));

    private final String json;
    private final Optional<StartConfig> config;
    private final Optional<LoraBeginning> beginning;
    private final Origin origin;

    /** What is needed to know the part of the base that belongs to an adapter. */
    private enum Origin {
        /** No part belongs to it. */
        NOTHING,
        /** The base. */
        BASE,
        /** The base, of which it holds another form. */
        WHOLE_BASE,
        /** The base, and data or randomness that no file holds. */
        MORE
    }

    /** One with a configuration of its own. */
    private record Configured(String json, String key, StartConfig fallback, Function<ConfigReader, StartConfig> reader,
            Function<StartConfig, Initialization> maker) {
        Initialization read(ConfigReader outer) {
            return maker.apply(outer.object(key).map(reader).orElse(fallback));
        }
    }

    private Initialization(String json, Optional<StartConfig> config, Optional<LoraBeginning> beginning,
            Origin origin) {
        this.json = json;
        this.config = config;
        this.beginning = beginning;
        this.origin = origin;
    }

    private static Initialization drawn(String json) {
        return new Initialization(json, Optional.empty(), Optional.empty(), Origin.NOTHING);
    }

    private static Initialization fromBase(String json, LoraStart.Maker maker, Origin origin) {
        return new Initialization(json, Optional.empty(), Optional.of(LoraBeginning.eachLayer(maker)), origin);
    }

    /**
     * PiSSA by so many iterations in Hugging Face PEFT, which are faster there and less exact. Here it is
     * {@link #PISSA}, kept under its own name.
     */
    public static Initialization pissa(int iterations) {
        return fromBase("\"pissa_niter_" + iterations + "\"", LoraStart::pissa, Origin.MORE);
    }

    /**
     * EVA: A from the directions in which inputs vary most, B zero. The model begins as the base; ranks change from
     * layer to layer. Needs data.
     */
    public static Initialization eva(EvaConfig config) {
        return new Initialization("\"eva\"", Optional.of(config), Optional.of(new EvaStart(config)), Origin.NOTHING);
    }

    /** CorDA: A and B from the base weight, by the covariance of its inputs. Needs data. */
    public static Initialization corda(CordaConfig config) {
        return new Initialization("\"corda\"", Optional.of(config), Optional.of(new CordaStart(config)), Origin.MORE);
    }

    /** LoRA-GA: A and B from the gradient of the base weight. Needs data. */
    public static Initialization loraGa(LoraGaConfig config) {
        return new Initialization("\"lora_ga\"", Optional.of(config), Optional.of(new LoraGaStart(config)),
                Origin.MORE);
    }

    /**
     * LoftQ: A and B from what is lost when the base weight is quantized. The model computes with the quantized weight
     * and begins near the base. The adapter holds that weight in f32, made again from the base whenever it is loaded;
     * its file holds A and B alone, as in Hugging Face PEFT, and means nothing to who does not quantize.
     */
    public static Initialization loftQ(LoftQConfig config) {
        return new Initialization("\"loftq\"", Optional.of(config), Optional.of(new LoftQStart(config)),
                Origin.WHOLE_BASE);
    }

    /**
     * Reads {@code init_lora_weights} and the configuration that belongs to it; one that belongs to another is kept as
     * it is.
     */
    static Initialization read(ConfigReader reader) {
        String json = reader.json("init_lora_weights").orElse("true");
        Optional<Initialization> found = named(json);
        for (Configured kind : CONFIGURED) {
            if (kind.json.equals(json)) {
                found = Optional.of(kind.read(reader));
            } else {
                reader.ignoreBecause(kind.key, "init_lora_weights is " + json);
            }
        }
        return found.orElseThrow(() -> new ConfigurationException(reader.source() + ": init_lora_weights is " + json
                + "; this version knows " + Stream.concat(NAMED.stream().map(Initialization::json),
                CONFIGURED.stream().map(Configured::json)).toList() + " and \"pissa_niter_N\""));
    }

    private static Optional<Initialization> named(String json) {
        Matcher iterated = ITERATED.matcher(json);
        return iterated.matches() ? Optional.of(pissa(Integer.parseInt(iterated.group(1))))
                : NAMED.stream().filter(value -> value.json.equals(json)).findFirst();
    }

    /** The keys of all configurations of their own. */
    static List<String> keys() {
        return CONFIGURED.stream().map(Configured::key).toList();
    }

    /** The value of {@code init_lora_weights} in {@code adapter_config.json}. */
    String json() {
        return json;
    }

    /** Its own configuration. */
    Optional<StartConfig> config() {
        return config;
    }

    /** What computes A and B together, where they are not drawn each by itself. */
    Optional<LoraBeginning> beginning() {
        return beginning;
    }

    /** Whether first values are computed from data. */
    boolean needsCalibration() {
        return config.isPresent() && origin != Origin.WHOLE_BASE;
    }

    /** Whether a part of the base weight belongs to the adapter. */
    boolean takesFromBase() {
        return origin != Origin.NOTHING;
    }

    /** Whether B stays as it begins. */
    boolean freezesB() {
        return equals(MICA);
    }

    /** Whether it works on linear layers alone. */
    boolean needsLinear() {
        return takesFromBase() || freezesB();
    }

    /** Whether what belongs to the adapter is of low rank, so that a file gets plain LoRA of twice the rank. */
    boolean isConverted() {
        return origin == Origin.BASE || origin == Origin.MORE;
    }

    /** Whether the part of the base cannot be computed again from the base alone. */
    boolean isApproximate() {
        return origin == Origin.MORE;
    }

    /** For A [r, in]. */
    Initializer a(int rank, long in) {
        return this == GAUSSIAN ? Initializer.normal(1.0 / rank) : Initializer.linear(in);
    }

    /** For B [out, r] and its bias [out]. */
    Initializer b(int rank) {
        return this == RANDOM ? Initializer.linear(rank) : Initializer.ZEROS;
    }

    /** For an embedding's A [r, V]. */
    Initializer embeddingA() {
        return this == RANDOM ? Initializer.normal(1) : Initializer.ZEROS;
    }

    /** For an embedding's B [H, r]. */
    Initializer embeddingB() {
        return Initializer.normal(1);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Initialization that && json.equals(that.json) && config.equals(that.config);
    }

    @Override
    public int hashCode() {
        return Objects.hash(json, config);
    }

    @Override
    public String toString() {
        return json;
    }
}
