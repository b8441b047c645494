package io.peft4j.lora;

import io.peft4j.core.peft.Initializer;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a new adapter begins. A [r, in] and B [out, r] are those of a linear layer; an embedding's A [r, V] and B [H, r]
 * change roles: A is what begins at zero, whatever is chosen here but {@link #RANDOM}.
 *
 * <p>{@link #PISSA} and {@link #OLORA} begin with a part of the base weight, {@code s B0 A0}, and take it out of the
 * base, so that training moves what matters most. The base itself is not changed: the model computes with
 * {@code W + s (B A - B0 A0)}, and a file gets the equal plain LoRA of twice the rank, as Hugging Face PEFT writes with
 * {@code path_initial_model_for_weight_conversion}.
 */
public final class Initialization {
    /**
     * A as PyTorch begins a linear layer, uniform in 1 / sqrt(in), B zero: the model begins as the base. The default.
     */
    public static final Initialization KAIMING = new Initialization("true", null);
    /** A normal with standard deviation 1/r, B zero: the model begins as the base. */
    public static final Initialization GAUSSIAN = new Initialization("\"gaussian\"", null);
    /** A and B both random: the model begins away from the base. For tests. */
    public static final Initialization RANDOM = new Initialization("false", null);
    /** A and B random with B A = 0, up to rounding; the rank must be even. */
    public static final Initialization ORTHOGONAL = new Initialization("\"orthogonal\"", LoraStart::orthogonal);
    /**
     * OLoRA (<a href="https://arxiv.org/abs/2406.01775">2406.01775</a>): the beginning of the QR decomposition of W.
     */
    public static final Initialization OLORA = new Initialization("\"olora\"", LoraStart::olora);
    /** PiSSA (<a href="https://arxiv.org/abs/2404.02948">2404.02948</a>): the largest singular values of W. */
    public static final Initialization PISSA = new Initialization("\"pissa\"", LoraStart::pissa);

    private static final List<Initialization> NAMED = List.of(KAIMING, GAUSSIAN, RANDOM, ORTHOGONAL, OLORA, PISSA);
    private static final Pattern ITERATED = Pattern.compile("\"pissa_niter_(\\d{1,4})\"");

    private final String json;
    private final LoraStart.Maker maker;

    private Initialization(String json, LoraStart.Maker maker) {
        this.json = json;
        this.maker = maker;
    }

    /**
     * PiSSA by so many iterations in Hugging Face PEFT, which are faster there and less exact. Here it is
     * {@link #PISSA}, kept under its own name.
     */
    public static Initialization pissa(int iterations) {
        return new Initialization("\"pissa_niter_" + iterations + "\"", LoraStart::pissa);
    }

    /** The one that a value of {@code init_lora_weights} names. */
    static Optional<Initialization> of(String json) {
        Matcher iterated = ITERATED.matcher(json);
        return iterated.matches() ? Optional.of(pissa(Integer.parseInt(iterated.group(1))))
                : NAMED.stream().filter(value -> value.json.equals(json)).findFirst();
    }

    /** The value of {@code init_lora_weights} in {@code adapter_config.json}. */
    String json() {
        return json;
    }

    /** What computes A and B together, where they are not drawn each by itself. */
    Optional<LoraStart.Maker> maker() {
        return Optional.ofNullable(maker);
    }

    /** Whether a part of the base weight belongs to the adapter. */
    boolean takesFromBase() {
        return maker != null && this != ORTHOGONAL;
    }

    /** Whether the part of the base cannot be computed again from the base alone. */
    boolean isApproximate() {
        return takesFromBase() && this != PISSA && this != OLORA;
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
        return other instanceof Initialization that && json.equals(that.json);
    }

    @Override
    public int hashCode() {
        return json.hashCode();
    }

    @Override
    public String toString() {
        return json;
    }
}
